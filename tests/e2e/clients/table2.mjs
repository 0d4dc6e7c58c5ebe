// The TypeScript SDK 2.x in the table. The second argument: "auto", or "pin" for the revision 2026-07-28 and no other.
import { load, plan } from "./steps.mjs";
import { fill, person, pong } from "./table.mjs";

const { Client, StreamableHTTPClientTransport } = load("@modelcontextprotocol/client");
const mode = process.argv[3] === "pin" ? { pin: "2026-07-28" } : process.argv[3];

await fill(async (capabilities) => {
  const client = new Client({ name: "e2e", version: "1" }, { capabilities, versionNegotiation: { mode } });
  if (capabilities.elicitation) client.setRequestHandler("elicitation/create", () => person);
  if (capabilities.sampling) client.setRequestHandler("sampling/createMessage", () => pong);
  await client.connect(new StreamableHTTPClientTransport(new URL(plan.url)));
  console.log("revision:", client.getNegotiatedProtocolVersion());
  const subscribe = async (uri, onUpdate) => {
    client.setNotificationHandler("notifications/resources/updated", ({ params }) => onUpdate(params.uri));
    await client.listen({ resourceSubscriptions: [uri] });
  };
  return { client, subscribe, call: (params, options) => client.callTool(params, options) };
});

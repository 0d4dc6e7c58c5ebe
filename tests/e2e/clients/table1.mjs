// The TypeScript SDK 1.x in the table.
import { load, plan } from "./steps.mjs";
import { fill, person, pong } from "./table.mjs";

const { Client } = load("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = load("@modelcontextprotocol/sdk/client/streamableHttp.js");
const types = load("@modelcontextprotocol/sdk/types.js");

await fill(async (capabilities) => {
  const client = new Client({ name: "e2e", version: "1" }, { capabilities });
  if (capabilities.elicitation) client.setRequestHandler(types.ElicitRequestSchema, () => person);
  if (capabilities.sampling) client.setRequestHandler(types.CreateMessageRequestSchema, () => pong);
  await client.connect(new StreamableHTTPClientTransport(new URL(plan.url)));
  const subscribe = async (uri, onUpdate) => {
    client.setNotificationHandler(types.ResourceUpdatedNotificationSchema, ({ params }) => onUpdate(params.uri));
    await client.subscribeResource({ uri });
  };
  return { client, subscribe, call: (params, options) => client.callTool(params, undefined, options) };
});

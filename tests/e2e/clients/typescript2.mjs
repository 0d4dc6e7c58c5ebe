// The TypeScript SDK 2.x. The second argument is how it finds the revision: "legacy" (its default) or "auto", which
// asks for server/discover first and then speaks the modern era, whatever the server behind the bridge speaks.
import { exercise, load, plan } from "./steps.mjs";

const { Client, StreamableHTTPClientTransport } = load("@modelcontextprotocol/client");

const mode = process.argv[3];
const client = new Client({ name: "e2e", version: "1" }, mode === "legacy" ? {} : { versionNegotiation: { mode } });
const call = (params, options) => client.callTool(params, options);
await exercise(client, new StreamableHTTPClientTransport(new URL(plan.url)), call);

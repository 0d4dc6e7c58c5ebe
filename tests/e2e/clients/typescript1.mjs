// The TypeScript SDK 1.x: Client and StreamableHTTPClientTransport.
import { exercise, load, plan } from "./steps.mjs";

const { Client } = load("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = load("@modelcontextprotocol/sdk/client/streamableHttp.js");

const client = new Client({ name: "e2e", version: "1" });
const call = (params, options) => client.callTool(params, undefined, options);
await exercise(client, new StreamableHTTPClientTransport(new URL(plan.url)), call);

// The same with the TypeScript SDK 1.x.
import { createRequire } from "node:module";
import path from "node:path";

const load = createRequire(path.join(process.env.E2E_NODE_MODULES, "anchor.js"));
const { McpServer } = load("@modelcontextprotocol/sdk/server/mcp.js");
const { StdioServerTransport } = load("@modelcontextprotocol/sdk/server/stdio.js");
const types = load("@modelcontextprotocol/sdk/types.js");
const z = load("zod");

const uri = "test://watched";
const text = (value) => ({ content: [{ type: "text", text: value }] });
const subscribed = new Set();
const options = { capabilities: { resources: { subscribe: true } } };
const server = new McpServer({ name: "table", version: "1" }, options);
const tool = (name, inputSchema, run) => server.registerTool(name, { inputSchema }, run);

tool("add", { a: z.number(), b: z.number() }, ({ a, b }) => text(String(a + b)));
tool("count", { n: z.number() }, async ({ n }, { _meta, sendNotification }) => {
  for (let i = 1; i <= n && _meta?.progressToken !== undefined; i++) {
    const params = { progressToken: _meta.progressToken, progress: i, total: n };
    await sendNotification({ method: "notifications/progress", params });
  }
  return text(`counted to ${n}`);
});
tool("elicit", {}, async () => {
  const requestedSchema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
  return text(`hello ${(await server.server.elicitInput({ message: "who?", requestedSchema })).content.name}`);
});
tool("sample", {}, async () => {
  const messages = [{ role: "user", content: { type: "text", text: "ping?" } }];
  return text((await server.server.createMessage({ messages, maxTokens: 10 })).content.text);
});
tool("touch", {}, async () => {
  if (subscribed.has(uri)) await server.server.sendResourceUpdated({ uri });
  return text("touched");
});
server.registerResource("watched", uri, {}, () => ({ contents: [{ uri, text: "watched" }] }));
server.server.setRequestHandler(types.SubscribeRequestSchema, ({ params }) => void subscribed.add(params.uri) ?? {});
server.server.setRequestHandler(types.UnsubscribeRequestSchema, ({ params }) => void subscribed.delete(params.uri) ?? {});
await server.connect(new StdioServerTransport());

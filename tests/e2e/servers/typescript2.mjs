// The same with the TypeScript SDK 2.x, which serves both eras; its shim asks a legacy client by call-backs.
import { createRequire } from "node:module";
import path from "node:path";

const load = createRequire(path.join(process.env.E2E_NODE_MODULES, "anchor.js"));
const { McpServer, acceptedContent, inputRequired } = load("@modelcontextprotocol/server");
const { serveStdio } = load("@modelcontextprotocol/server/stdio");
const z = load("zod");

const uri = "test://watched";
const text = (value) => ({ content: [{ type: "text", text: value }] });

function create() {
  const options = { capabilities: { resources: { subscribe: true } } };
  const server = new McpServer({ name: "table", version: "1" }, options);
  const tool = (name, shape, run) => server.registerTool(name, { inputSchema: z.object(shape) }, run);
  tool("add", { a: z.number(), b: z.number() }, ({ a, b }) => text(String(a + b)));
  tool("count", { n: z.number() }, async ({ n }, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (let i = 1; i <= n && progressToken !== undefined; i++) {
      await mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress: i, total: n } });
    }
    return text(`counted to ${n}`);
  });
  tool("elicit", {}, async (_, { mcpReq }) => {
    const name = acceptedContent(mcpReq.inputResponses, "who")?.name;
    if (name !== undefined) return text(`hello ${name}`);
    const requestedSchema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
    return inputRequired({ inputRequests: { who: inputRequired.elicit({ message: "who?", requestedSchema }) } });
  });
  tool("sample", {}, async (_, { mcpReq }) => {
    const answer = mcpReq.inputResponses?.model;
    if (answer !== undefined) return text(answer.content.text);
    const messages = [{ role: "user", content: { type: "text", text: "ping?" } }];
    return inputRequired({ inputRequests: { model: inputRequired.createMessage({ messages, maxTokens: 10 }) } });
  });
  tool("touch", {}, async () => {
    await server.server.sendResourceUpdated({ uri });
    return text("touched");
  });
  server.registerResource("watched", uri, {}, () => ({ contents: [{ uri, text: "watched" }] }));
  for (const method of ["resources/subscribe", "resources/unsubscribe"]) server.server.setRequestHandler(method, () => ({}));
  return server;
}

serveStdio(create);
process.stdin.on("end", () => process.exit(0));

// A server of the legacy era with the tools, prompts and resources that the official conformance suite wants of one of
// 2026-07-28: what that answers with input_required, this asks by call-backs. So the suite's scenarios of the modern
// era, run on it through the bridge, test the translation. By hand, where the suite is installed:
//
//     mcp-bridge --port 8123 -- node tests/e2e/servers/conformance.mjs
//     npx @modelcontextprotocol/conformance server --url http://127.0.0.1:8123/mcp --requirements 2026-07-28
import { createRequire } from "node:module";
import path from "node:path";

const load = createRequire(path.join(process.env.E2E_NODE_MODULES, "anchor.js"));
const { Server } = load("@modelcontextprotocol/sdk/server/index.js");
const { StdioServerTransport } = load("@modelcontextprotocol/sdk/server/stdio.js");
const types = load("@modelcontextprotocol/sdk/types.js");

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";
const { McpError } = types;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const block = (text) => ({ type: "text", text });
const said = (text) => ({ content: [block(text)] });
const image = { type: "image", data: PNG, mimeType: "image/png" };
const embedded = (uri, mimeType, text) => ({ type: "resource", resource: { uri, mimeType, text } });

const server = new Server({ name: "conformance", version: "1" }, {
  capabilities: {
    tools: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    prompts: { listChanged: true },
    logging: {},
    completions: {},
  },
});

// ---- What is asked of the client

async function ask(message, name, type = "string") {
  const requestedSchema = { type: "object", properties: { [name]: { type } }, required: [name] };
  return (await server.elicitInput({ message, requestedSchema })).content?.[name];
}

async function sample(text, maxTokens = 50) {
  return (await server.createMessage({ messages: [{ role: "user", content: block(text) }], maxTokens })).content.text;
}

const roots = async () => (await server.listRoots()).roots;

// ---- Tools: name, schema of its arguments, what it does

const none = { type: "object", properties: {} };
const contact = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: {
    address: {
      $anchor: "addressDef",
      type: "object",
      properties: { street: { type: "string" }, city: { type: "string" } },
    },
  },
  properties: {
    name: { type: "string" },
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: { type: "string" },
    email: { type: "string" },
  },
  allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
  if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
  then: { required: ["phone"] },
  else: { required: ["email"] },
  additionalProperties: false,
};
const routed = {
  type: "object",
  properties: { region: { type: "string", "x-mcp-header": "Region" }, level: { type: "integer" } },
};

async function followProgress(_, { _meta, sendNotification }) {
  const progressToken = _meta?.progressToken;
  for (const progress of [0, 50, 100]) {
    if (progressToken === undefined) break;
    await sendNotification({ method: "notifications/progress", params: { progressToken, progress, total: 100 } });
    await pause(20);
  }
  return said(String(progressToken));
}

async function log(...lines) {
  for (const data of lines) await server.sendLoggingMessage({ level: "info", data });
  return said("logged");
}

async function askTwice() {
  const name = await ask("Step 1: name?", "name");
  return said(`Multi-round complete: ${name} likes ${await ask("Step 2: color?", "color")}`);
}

async function askAll() {
  const all = [ask("What is your name?", "name"), sample("Generate a greeting"), roots()];
  const [name, greeting, found] = await Promise.all(all);
  return said(`${greeting} ${name} ${found.length}`);
}

async function askWhatIsDeclared() {
  const declared = server.getClientCapabilities();
  const questions = [];
  if (declared.elicitation) questions.push(ask("What is your name?", "name"));
  if (declared.sampling) questions.push(sample("greeting"));
  if (declared.roots) questions.push(roots());
  return said((await Promise.all(questions)).length > 0 ? "fulfilled" : "no capability");
}

// By what it was told in initialize, which the bridge makes for clients that declare the same.
async function needSampling() {
  if (server.getClientCapabilities().sampling) return said(await sample("ping", 16));
  throw new McpError(-32021, "Sampling is needed", { requiredCapabilities: { sampling: {} } });
}

async function change(method) {
  await server.notification({ method });
  return said("changed");
}

const tools = {
  test_simple_text: [none, () => said("This is a simple text response for testing.")],
  test_image_content: [none, () => ({ content: [image] })],
  test_audio_content: [none, () => ({ content: [{ type: "audio", data: WAV, mimeType: "audio/wav" }] })],
  test_embedded_resource: [none, () => ({
    content: [embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")],
  })],
  test_multiple_content_types: [none, () => ({
    content: [
      block("Multiple content types test:"),
      image,
      embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    ],
  })],
  test_tool_with_logging: [none, () => log("Tool execution started", "Tool processing data", "Tool execution completed")],
  test_tool_with_progress: [none, followProgress],
  test_error_handling: [none, () => ({ isError: true, ...said("This tool intentionally returns an error for testing") })],
  json_schema_2020_12_tool: [contact, (args) => said(JSON.stringify(args))],
  test_x_mcp_header: [routed, ({ region }) => said(`region=${region ?? ""}`)],
  test_logging_tool: [none, () => log("only with a level")],
  test_streaming_elicitation: [none, () => said("a result, and no question")],
  test_missing_capability: [none, needSampling],
  test_trigger_tool_change: [none, () => change("notifications/tools/list_changed")],
  test_trigger_prompt_change: [none, () => change("notifications/prompts/list_changed")],
  test_input_required_result_elicitation: [none, async () => said(`Hello, ${await ask("What is your name?", "name")}!`)],
  test_input_required_result_sampling: [none, async () => said(await sample("What is the capital of France?", 100))],
  test_input_required_result_list_roots: [none, async () => said((await roots()).map(({ uri }) => uri).join(", "))],
  test_input_required_result_request_state: [none, async () => {
    await ask("Please confirm", "ok", "boolean");
    return said("state-ok");
  }],
  test_input_required_result_tampered_state: [none, async () => {
    await ask("Please confirm", "ok", "boolean");
    return said("integrity-ok");
  }],
  test_input_required_result_multiple_inputs: [none, askAll],
  test_input_required_result_multi_round: [none, askTwice],
  test_input_required_result_capabilities: [none, askWhatIsDeclared],
};

server.setRequestHandler(types.ListToolsRequestSchema, () => ({
  tools: Object.entries(tools).map(([name, [inputSchema]]) => ({ name, description: name, inputSchema })),
}));
server.setRequestHandler(types.CallToolRequestSchema, ({ params }, extra) => {
  const tool = tools[params.name];
  if (!tool) throw new McpError(-32602, `Unknown tool: ${params.name}`);
  return tool[1](params.arguments ?? {}, extra);
});

// ---- Resources

const resources = {
  "test://static-text": { mimeType: "text/plain", text: "This is the content of the static text resource." },
  "test://static-binary": { mimeType: "image/png", blob: PNG },
  "test://watched-resource": { mimeType: "text/plain", text: "Watched resource content" },
};
const template = { uriTemplate: "test://template/{id}/data", name: "template", mimeType: "application/json" };

server.setRequestHandler(types.ListResourcesRequestSchema, () => ({
  resources: Object.entries(resources).map(([uri, { mimeType }]) => ({ uri, name: uri, description: uri, mimeType })),
}));
server.setRequestHandler(types.ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: [template] }));
server.setRequestHandler(types.ReadResourceRequestSchema, ({ params: { uri } }) => {
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  const data = { id, templateTest: true, data: `Data for ID: ${id}` };
  const found = id ? { mimeType: "application/json", text: JSON.stringify(data) } : resources[uri];
  if (!found) throw new McpError(-32002, "Resource not found", { uri });
  return { contents: [{ uri, ...found }] };
});
server.setRequestHandler(types.SubscribeRequestSchema, () => ({}));
server.setRequestHandler(types.UnsubscribeRequestSchema, () => ({}));

// ---- Prompts: name, its arguments, its blocks

const prompts = {
  test_simple_prompt: [[], () => [block("This is a simple prompt for testing.")]],
  test_prompt_with_arguments: [["arg1", "arg2"], ({ arg1, arg2 }) => [
    block(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`),
  ]],
  test_prompt_with_embedded_resource: [["resourceUri"], ({ resourceUri }) => [
    embedded(resourceUri, "text/plain", "Embedded resource content for testing."),
    block("Please process the embedded resource above."),
  ]],
  test_prompt_with_image: [[], () => [image, block("Please analyze the image above.")]],
  test_input_required_result_prompt: [[], async () => [
    block(`Use the following context: ${await ask("What context?", "context")}`),
  ]],
};

server.setRequestHandler(types.ListPromptsRequestSchema, () => ({
  prompts: Object.entries(prompts).map(([name, [names]]) => ({
    name,
    description: name,
    arguments: names.map((each) => ({ name: each, description: each, required: true })),
  })),
}));
server.setRequestHandler(types.GetPromptRequestSchema, async ({ params }) => {
  const prompt = prompts[params.name];
  if (!prompt) throw new McpError(-32602, `Unknown prompt: ${params.name}`);
  const blocks = await prompt[1](params.arguments ?? {});
  return { messages: blocks.map((content) => ({ role: "user", content })) };
});

server.setRequestHandler(types.CompleteRequestSchema, () => ({
  completion: { values: ["paris", "park", "party"], total: 3, hasMore: false },
}));
await server.connect(new StdioServerTransport());
process.stdin.on("end", () => process.exit(0));

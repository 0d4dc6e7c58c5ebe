// The TypeScript SDK 1.x against the fixture echo.py: what a session has beside calls, one scenario a run. The plan is
// {"url": ..., "transport": "http" or "sse", "scenario": ...}.
import assert from "node:assert/strict";
import { load, plan, step } from "./steps.mjs";

const { Client } = load("@modelcontextprotocol/sdk/client/index.js");
const { SSEClientTransport } = load("@modelcontextprotocol/sdk/client/sse.js");
const { StreamableHTTPClientTransport } = load("@modelcontextprotocol/sdk/client/streamableHttp.js");
const types = load("@modelcontextprotocol/sdk/types.js");

const URI = "test://one";
const LIMIT = 20000; // ms that anything may take
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const question = (text) => ({ messages: [{ role: "user", content: { type: "text", text } }], maxTokens: 5 });
const pong = { role: "assistant", model: "m", content: { type: "text", text: "pong" } };
const form = {
  method: "elicitation/create",
  params: { message: "who?", requestedSchema: { type: "object", properties: { name: { type: "string" } } } },
};

// A client, and everything that the server told it in `heard`.
class Peer {
  heard = [];

  constructor(capabilities = {}, options = {}) {
    const url = new URL(plan.url);
    this.transport = plan.transport === "sse" ? new SSEClientTransport(url) : new StreamableHTTPClientTransport(url, options);
    this.client = new Client({ name: "e2e", version: "1" }, { capabilities });
    const hear = (schema, item) => this.client.setNotificationHandler(schema, (note) => void this.heard.push(item(note)));
    hear(types.LoggingMessageNotificationSchema, (note) => ["log", note.params.level, note.params.data]);
    hear(types.ResourceUpdatedNotificationSchema, (note) => ["updated", note.params.uri]);
    for (const kind of ["Tool", "Resource", "Prompt"]) {
      hear(types[`${kind}ListChangedNotificationSchema`], (note) => ["changed", note.method]);
    }
  }

  async open() {
    await this.client.connect(this.transport);
    return this;
  }

  async close() {
    await this.transport.terminateSession?.();
    await this.client.close();
  }

  async wait(count) {
    for (const end = Date.now() + LIMIT; this.heard.length < count; await pause(5)) {
      assert.ok(Date.now() < end, `heard ${JSON.stringify(this.heard)}, wanted ${count}`);
    }
    return this.heard;
  }

  async call(name, args = {}, options = {}) {
    const result = await this.client.callTool({ name, arguments: args }, undefined, { timeout: LIMIT, ...options });
    assert.ok(!result.isError, JSON.stringify(result));
    return result;
  }

  async structured(name, args) {
    return (await this.call(name, args)).structuredContent;
  }

  ask(method, params, more = {}) {
    return this.structured("ask", { method, ...(params ? { params } : {}), ...more });
  }

  // The GET stream opens beside the handshake: wait until it carries something.
  async listening() {
    while (plan.transport === "http" && this.heard.length === 0) {
      await this.call("trigger", { method: "notifications/prompts/list_changed" });
      await pause(50);
    }
    await pause(200); // whatever of that is still on its way
    this.heard.length = 0;
    return this;
  }

  // What the server sent before has come once this has: the messages of one stream keep their order.
  async marker() {
    const count = this.heard.length + 1;
    await this.call("trigger", { method: "notifications/prompts/list_changed" });
    assert.deepEqual((await this.wait(count)).pop(), ["changed", "notifications/prompts/list_changed"]);
  }
}

const scenarios = {
  async sampling() {
    const peer = new Peer({ sampling: {} });
    const asked = [];
    peer.client.setRequestHandler(types.CreateMessageRequestSchema, ({ params }) => {
      asked.push(params.messages[0].content.text);
      if (asked.at(-1) === "refuse") throw new types.McpError(-1, "User rejected");
      return pong;
    });
    await peer.open();
    const got = await peer.ask("sampling/createMessage", question("ping?"), { id: "first" });
    assert.equal(got.id, '"first"');
    assert.deepEqual(JSON.parse(got.result), pong);
    const refused = await peer.ask("sampling/createMessage", question("refuse"));
    assert.match(refused.error, /User rejected/);
    assert.deepEqual(asked, ["ping?", "refuse"]);
    await peer.close();
  },

  async elicitation() {
    const answers = [{ action: "accept", content: { name: "Ann" } }, { action: "decline" }, { action: "cancel" }];
    const queue = [...answers];
    const peer = new Peer({ elicitation: {} });
    peer.client.setRequestHandler(types.ElicitRequestSchema, () => queue.shift());
    await peer.open();
    for (const wanted of answers) assert.deepEqual(JSON.parse((await peer.ask(form.method, form.params)).result), wanted);
    await peer.close();
  },

  async roots() {
    const found = [{ uri: "file:///one", name: "one" }];
    const peer = new Peer({ roots: { listChanged: true } });
    peer.client.setRequestHandler(types.ListRootsRequestSchema, () => ({ roots: found }));
    await peer.open();
    assert.deepEqual(JSON.parse((await peer.ask("roots/list")).result).roots, found);
    found.push({ uri: "file:///two" });
    await peer.client.sendRootsListChanged();
    const { seen } = await peer.structured("seen", { method: "notifications/roots/list_changed" });
    assert.equal(seen.length, 1);
    assert.deepEqual(JSON.parse((await peer.ask("roots/list")).result).roots, found);
    await peer.close();
  },

  async progress() {
    const peer = await new Peer().open();
    const follow = async (count) => {
      const seen = [];
      const onprogress = ({ progress, total }) => seen.push([progress, total]);
      // Far apart: this SDK loses progress that it reads together with the answer behind it.
      await peer.call("progress", { n: count, ms: 200 }, { onprogress });
      assert.deepEqual(seen, Array.from({ length: count }, (_, i) => [i + 1, count]));
    };
    await Promise.all(Array.from({ length: 10 }, (_, i) => follow(i + 2)));
    await peer.close();
  },

  async logging() {
    const peer = await new Peer().open();
    await peer.client.setLoggingLevel("error");
    await peer.call("log", { level: "info", data: "low" });
    await peer.call("log", { level: "error", data: "high" });
    assert.deepEqual(await peer.wait(1), [["log", "error", "high"]]);
    await peer.client.setLoggingLevel("debug");
    await peer.call("log", { level: "debug", data: "low" });
    assert.deepEqual((await peer.wait(2))[1], ["log", "debug", "low"]);
    await peer.close();
  },

  async subscriptions() {
    const one = await new Peer().open();
    const two = await new Peer().open();
    for (const peer of [one, two]) await peer.listening();
    assert.deepEqual(await one.structured("pid"), await two.structured("pid"), "they share a server");
    for (const peer of [one, two]) {
      peer.heard.length = 0;
      await peer.client.subscribeResource({ uri: URI });
    }
    await one.call("update", { uri: URI });
    for (const peer of [one, two]) assert.deepEqual(await peer.wait(1), [["updated", URI]]);
    await one.client.unsubscribeResource({ uri: URI });
    await two.call("update", { uri: URI });
    assert.deepEqual(await two.wait(2), [["updated", URI], ["updated", URI]]);
    await one.marker();
    assert.deepEqual(one.heard, [["updated", URI]]);
    await two.client.unsubscribeResource({ uri: URI });
    assert.deepEqual((await one.structured("subscriptions")).subscriptions, []);
    for (const peer of [one, two]) await peer.close();
  },

  async cancellation() {
    const peer = await new Peer().open();
    const controller = new AbortController();
    const running = peer.call("sleep", { ms: 60000 }, { signal: controller.signal });
    const rejected = assert.rejects(running, /enough/);
    while ((await peer.structured("seen", { method: "tools/call" })).seen.length < 2) await pause(20);
    controller.abort("enough");
    await rejected;
    while ((await peer.structured("cancelled")).cancelled.length !== 1) await pause(20);
    await peer.close();
  },

  async list_changed() {
    const peer = await (await new Peer().open()).listening();
    const methods = ["tools", "resources", "prompts"].map((kind) => `notifications/${kind}/list_changed`);
    for (const method of methods) await peer.call("trigger", { method });
    assert.deepEqual(await peer.wait(3), methods.map((method) => ["changed", method]));
    await peer.close();
  },

  // The connection is cut in the middle of the call by what stands at plan.url; the SDK resumes by itself.
  async resumption() {
    const peer = await new Peer().open();
    const seen = [];
    const tokens = [];
    const onresumptiontoken = (token) => tokens.push(token);
    const onprogress = ({ progress }) => seen.push(progress);
    const result = await peer.call("progress", { n: plan.steps, ms: 100 }, { onprogress, onresumptiontoken });
    assert.equal(result.content[0].text, "done");
    assert.deepEqual(seen, Array.from({ length: plan.steps }, (_, i) => i + 1));
    assert.equal(new Set(tokens).size, tokens.length, `no event id came twice: ${tokens}`);
    await peer.close();
  },

  async question_in_the_gap() {
    const peer = new Peer({ sampling: {} });
    peer.client.setRequestHandler(types.CreateMessageRequestSchema, () => pong);
    await peer.open();
    const got = await peer.ask("sampling/createMessage", question("ping?"), { delay_ms: 300 });
    assert.deepEqual(JSON.parse(got.result), pong);
    await peer.close();
  },

  // The client is gone for good in the middle of a call; another one with its session id and last event id goes on.
  async resumption_by_token() {
    const first = await new Peer().open();
    let last;
    const seen = [];
    const options = { onresumptiontoken: (token) => (last = token), onprogress: ({ progress }) => seen.push(progress) };
    const lost = first.call("progress", { n: 10, ms: 100 }, options).catch(() => "lost");
    while (seen.length < 3) await pause(5);
    await first.client.close();
    assert.equal(await lost, "lost");
    const before = seen.length;
    const second = new Peer({}, { sessionId: first.transport.sessionId });
    await second.open();
    const result = await second.client.request(
      { method: "tools/call", params: { name: "progress", arguments: { n: 10, ms: 100 } } },
      types.CallToolResultSchema,
      { resumptionToken: last, timeout: LIMIT },
    );
    assert.equal(result.content[0].text, "done");
    assert.ok(before < 10);
    const { seen: calls } = await second.structured("seen", { method: "tools/call" });
    assert.equal(calls.length, 2, "the call was not made again");
    await second.close();
  },
};

step(plan.scenario);
await scenarios[plan.scenario]();
step("closes");
process.exit(0);

// What every TypeScript client does with a session. The plan is JSON: clients.py in the folder cases makes it.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";

export const plan = JSON.parse(process.argv[2]);

// The packages lie outside the source tree, where `import` does not look; so this loads their CommonJS build.
export const load = createRequire(path.join(process.env.E2E_NODE_MODULES, "anchor.js"));

// Says what comes next; when it fails, the last sentence tells where.
export function step(sentence) {
  console.log(sentence);
}

function textOf(result) {
  assert.ok(!result.isError, `the call succeeds: ${JSON.stringify(result)}`);
  return result.content[0].text;
}

async function listTools(client) {
  step("lists the tools");
  const names = (await client.listTools()).tools.map((tool) => tool.name);
  for (const name of plan.tools) assert.ok(names.includes(name), `${name} is among ${names}`);
}

async function callAtOnce(call) {
  step("calls one tool, then all at once");
  const one = async ({ name, arguments: args, text }) => assert.equal(textOf(await call({ name, arguments: args })), text);
  await one(plan.calls[0]);
  await Promise.all(plan.calls.map(one));
}

async function followProgress(call) {
  step("follows the progress of a call");
  const { name, arguments: args, text, seen } = plan.progress;
  const heard = [];
  const onprogress = ({ progress, total }) => heard.push([progress, total]);
  assert.equal(textOf(await call({ name, arguments: args }, { onprogress })), text);
  assert.deepEqual(heard, seen);
}

async function meetErrors(client, call) {
  step("meets an unknown tool");
  try {
    const result = await call({ name: "no-such-tool", arguments: {} });
    assert.ok(result.isError, `an error: ${JSON.stringify(result)}`);
  } catch (error) {
    assert.equal(error.code, -32602, error);
  }
  step("meets an unknown prompt");
  await assert.rejects(client.getPrompt({ name: "no-such-prompt" }), { code: -32602 });
  step("goes on after the errors");
  const { name, arguments: args, text } = plan.calls.at(-1);
  assert.equal(textOf(await call({ name, arguments: args })), text);
}

// call(params, options) hides the one difference between the versions: where callTool takes its options.
export async function exercise(client, transport, call) {
  const errors = [];
  client.onerror = (error) => errors.push(String(error));
  step("connects");
  await client.connect(transport);
  assert.equal(client.getServerVersion().name, plan.server);
  assert.equal(Boolean(transport.sessionId), plan.has_session, `session id ${transport.sessionId}`);
  await listTools(client);
  await callAtOnce(call);
  await followProgress(call);
  await meetErrors(client, call);
  console.log("session:", transport.sessionId ?? "None");
  if (client.getNegotiatedProtocolVersion) console.log("revision:", client.getNegotiatedProtocolVersion());
  step("ends the session");
  await transport.terminateSession();
  assert.equal(transport.sessionId, undefined);
  step("closes");
  await client.close();
  assert.deepEqual(errors, [], "the transport reported errors");
}

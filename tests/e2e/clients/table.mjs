// What both TypeScript SDKs do in the table of clients and servers (cases/eras.py): a cell a line. make(capabilities)
// gives {client, call, subscribe, open}, whose subscribe(uri, onUpdate) is the SDK's own way.
import assert from "node:assert/strict";

import { step } from "./steps.mjs";

const uri = "test://watched";
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const person = { action: "accept", content: { name: "Ann" } };
export const pong = { role: "assistant", model: "m", content: { type: "text", text: "pong" } };

export async function fill(make) {
  const plain = await make({});
  const names = (await plain.client.listTools()).tools.map((tool) => tool.name);
  assert.deepEqual(names.sort(), ["add", "count", "elicit", "sample", "touch"]);
  step("cell: list");
  const said = async (peer, name, args, options) => (await peer.call({ name, arguments: args }, options)).content[0].text;
  assert.equal(await said(plain, "add", { a: 2, b: 40 }), "42");
  step("cell: call");
  const seen = [];
  const onprogress = ({ progress, total }) => seen.push([progress, total]);
  assert.equal(await said(plain, "count", { n: 3 }, { onprogress }), "counted to 3");
  assert.deepEqual(seen, [1, 2, 3].map((i) => [i, 3]));
  step("cell: progress");
  let updates = 0;
  await plain.subscribe(uri, (changed) => {
    assert.equal(changed, uri);
    updates++;
  });
  for (let i = 0; i < 100 && updates === 0; i++) {
    await said(plain, "touch", {}); // a GET stream opens beside the handshake
    await pause(200);
  }
  assert.ok(updates > 0);
  step("cell: subscription");
  const asked = await make({ elicitation: {}, sampling: {} });
  assert.equal(await said(asked, "elicit", {}), "hello Ann");
  step("cell: elicitation");
  assert.equal(await said(asked, "sample", {}), "pong");
  step("cell: sampling");
  for (const { client } of [plain, asked]) await client.close();
  step("closes");
  process.exit(0);
}

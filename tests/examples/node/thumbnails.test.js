// MOCKSERVER_URL says where the mock is: of a service, an action's step, or `mockserver serve` in another terminal.
import assert from "node:assert/strict";
import test from "node:test";
import { makeThumbnail } from "./thumbnails.js";

const base = process.env.MOCKSERVER_URL ?? "http://127.0.0.1:8080";
const key = "pkz_test";

test("a thumbnail can be downloaded", async () => {
  const link = await makeThumbnail("I bought my own island", { base, key });
  const picture = await fetch(link);
  assert.equal(picture.headers.get("content-type"), "image/png");
  assert.ok((await picture.arrayBuffer()).byteLength > 1000);
});

test("a key that nobody has is told as such", async () => {
  await assert.rejects(makeThumbnail("An island", { base, key: "nobody" }), { status: 401 });
});

test("too many requests are told as such", async () => {
  const headers = { Prefer: "code=429" };
  await assert.rejects(makeThumbnail("An island", { base, key, headers }), { status: 429 });
});

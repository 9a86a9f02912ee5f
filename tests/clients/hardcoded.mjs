// A client of Pikzels, written with the libraries that it is told: success, refusal, ordered error, picture.
// It knows nothing of a mock; the hosts of production stand in it. MODULES is where undici and axios are installed.
import https from "node:https";
import { createRequire } from "node:module";

const API = "https://api.pikzels.com";
const SCORE = `${API}/v2/thumbnail/score`, TEXT = `${API}/v2/thumbnail/text`;
const KEY = { "X-Api-Key": "pkz_test", "Content-Type": "application/json" };
const RIGHT = { image_url: "https://example.com/a.png" }, WRONG = { image_ur: "https://example.com/a.png" };
const PROMPT = { prompt: "Islands", model: "pkz_4", format: "1:1" };
const ORDERED = { ...KEY, Prefer: "code=402" };
const installed = (name) => createRequire(`${process.env.MODULES}/`)(name);

const WAYS = {
  fetch: async (url, method, headers, body) => {
    const answer = await fetch(url, { method, headers, body });
    return [answer.status, Buffer.from(await answer.arrayBuffer())];
  },
  https: (url, method, headers, body) => new Promise((resolve, reject) => {
    const request = https.request(url, { method, headers }, async (answer) => {
      const parts = [];
      for await (const part of answer) parts.push(part);
      resolve([answer.statusCode, Buffer.concat(parts)]);
    });
    request.on("error", reject);
    request.end(body);
  }),
  undici: async (url, method, headers, body) => {
    const answer = await installed("undici").request(url, { method, headers, body });
    return [answer.statusCode, Buffer.from(await answer.body.arrayBuffer())];
  },
  axios: async (url, method, headers, data) => {
    const options = { url, method, headers, data, responseType: "arraybuffer", validateStatus: () => true };
    const answer = await installed("axios").request(options);
    return [answer.status, Buffer.from(answer.data)];
  },
};

for (const name of process.argv.slice(2)) {
  const ask = (url, headers, body) => WAYS[name](url, body ? "POST" : "GET", headers ?? {}, body && JSON.stringify(body));
  const statuses = [];
  for (const [headers, body] of [[KEY, RIGHT], [KEY, WRONG], [ORDERED, RIGHT]])
    statuses.push((await ask(SCORE, headers, body))[0]);
  const { output } = JSON.parse((await ask(TEXT, KEY, PROMPT))[1]);
  const [, bytes] = await ask(output);
  console.log(name, ...statuses, bytes.subarray(1, 4).toString() === "PNG" ? "picture" : "no picture");
}

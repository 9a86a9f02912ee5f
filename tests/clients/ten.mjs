// Ten calls by Node's default agent. (Its `fetch` opens a second connection to Node's own server, too.)
import http from "node:http";

const [url, body] = process.argv.slice(2);
const headers = { "X-Api-Key": "pkz_test", "Content-Type": "application/json" };

function call() {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: "POST", headers }, (answer) => {
      answer.resume();
      answer.on("end", () => setImmediate(resolve, answer.statusCode));
    });
    request.on("error", reject);
    request.end(body);
  });
}

for (let number = 0; number < 10; number++) console.log(await call());

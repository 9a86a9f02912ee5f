// A client of Pikzels as a program would have it; PIKZELS_BASE_URL leads it elsewhere.

export class Refused extends Error {
  constructor(status, code) {
    super(`${status} ${code}`);
    Object.assign(this, { status, code });
  }
}

export async function makeThumbnail(prompt, { base = process.env.PIKZELS_BASE_URL ?? "https://api.pikzels.com", key, headers = {} }) {
  const answer = await fetch(`${base}/v2/thumbnail/text`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Api-Key": key, ...headers },
    body: JSON.stringify({ prompt, model: "pkz_4", format: "16:9" }),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Refused(answer.status, said.error.code);
  return said.output;
}

// Receives BookingFlow's webhooks, without any package. WHSEC=whsec_… PORT=8080 node receive.mjs

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const TOLERANCE = 5 * 60; // seconds between the sender's clock and ours
const MOST_BYTES = 256 * 1024; // an event has 64 kB at most
const secret = Buffer.from(process.env.WHSEC.replace(/^whsec_/, ""), "base64");
const seen = new Set(); // in real life a table with a unique column, written in the transaction that handles the event

function isGenuine(headers, body) {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  const signatures = headers["webhook-signature"];
  if (!id || !signatures || !/^\d+$/.test(timestamp ?? "")) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE) return false;
  // The bytes as they came, not JSON made anew.
  const expected = createHmac("sha256", secret).update(`${id}.${timestamp}.`).update(body).digest();
  return signatures.split(" ").some((signature) => {
    const [version, text] = signature.split(",");
    const given = Buffer.from(text ?? "", "base64");
    return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

// Put it into a queue of your own: the answer is due within 15 seconds.
function handle(event) {
  console.log(event.type, event.object.id, "version", event.object.version);
}

async function receive(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MOST_BYTES) return 400;
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (request.method !== "POST" || !isGenuine(request.headers, body)) return 400;
  const event = JSON.parse(body);
  if (!seen.has(event.id)) { // a delivery may come twice
    seen.add(event.id);
    handle(event);
  }
  return 204;
}

createServer(async (request, response) => {
  response.statusCode = await receive(request).catch(() => 400);
  response.end();
}).listen(Number(process.env.PORT), "127.0.0.1");

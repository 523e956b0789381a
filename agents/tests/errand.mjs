// The errand of test_errand.py, in short, through the SDK in TypeScript.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const { MCP_URL, BOOKINGFLOW_KEY, DAY } = process.env;
const headers = { Authorization: `Bearer ${BOOKINGFLOW_KEY}` };
const client = new Client({ name: "errand", version: "1.0.0" });
await client.connect(new StreamableHTTPClientTransport(new URL(MCP_URL), { requestInit: { headers } }));

async function call(name, args) {
  const result = await client.callTool({ name, arguments: args });
  if (result.isError) throw new Error(result.content[0].text);
  return result.structuredContent;
}

await client.listTools(); // from here on answers are held against the tools' schemas
const evening = { date_from: DAY, date_to: DAY, from_time: "17:00", party_size: 5 };
const [slot] = (await call("get_availability", evening)).slots;
const game = { room: slot.room, starts_at: slot.starts.utc, party_size: 5 };
const { quote } = await call("quote_booking", game);
const held = await call("hold_booking", { ...game, quote, customer: { name: "Ada" } });
const paid = await call("confirm_booking", { booking: held.booking, payment: { mode: "pos", amount: held.due.minor_units } });
if (paid.status !== "confirmed") throw new Error(paid.sentence);
const refused = await client.callTool({ name: "cancel_booking", arguments: { booking: held.booking } });
if (refused.structuredContent.code !== "insufficient_scope") throw new Error("an agent could cancel");
console.log(`Booked ${paid.reference}`);
await client.close();

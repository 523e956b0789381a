// Lists the rooms, finds an open slot, books it. BOOKINGFLOW_URL=… BOOKINGFLOW_KEY=bkf_test_… node quickstart.mjs

import { randomUUID } from "node:crypto";

const { BOOKINGFLOW_URL, BOOKINGFLOW_KEY } = process.env;

async function api(method, path, body, headers = {}) {
  const answer = await fetch(`${BOOKINGFLOW_URL}/api/v1/public${path}`, {
    method,
    headers: { Authorization: `Bearer ${BOOKINGFLOW_KEY}`, "Content-Type": "application/json", ...headers },
    body: body && JSON.stringify(body),
  });
  const data = await answer.json();
  if (!answer.ok) throw new Error(`${data.code}: ${data.detail} (${data.request_id})`);
  return data;
}

const rooms = await api("GET", "/rooms?status=active");
console.log("Rooms:", rooms.data.map((room) => room.name).join(", "));

const days = await api("GET", "/schedules?party_size=4");
const day = days.data.find((day) => day.slots.length > 0);

const order = {
  room: day.room,
  starts_at: day.slots[0].starts_at,
  party_size: 4,
  customer: { name: "Ada Lovelace", email: "ada@example.com" },
};
const booking = await api("POST", "/bookings", order, { "Idempotency-Key": randomUUID() }); // keep the key with your order
console.log("Booked:", booking.reference, booking.starts_at_local, booking.price.total, booking.currency);

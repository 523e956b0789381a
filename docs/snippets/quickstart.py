"""Lists the rooms, finds an open slot, books it. BOOKINGFLOW_URL=… BOOKINGFLOW_KEY=bkf_test_… python quickstart.py"""

import json
import os
import urllib.request
import uuid
from typing import Any

BASE, KEY = os.environ["BOOKINGFLOW_URL"] + "/api/v1/public", os.environ["BOOKINGFLOW_KEY"]


def api(method: str, path: str, body: Any = None, **headers: str) -> Any:
    headers |= {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


rooms = api("GET", "/rooms?status=active")["data"]
print("Rooms:", ", ".join(room["name"] for room in rooms))

days = api("GET", "/schedules?party_size=4")["data"]
room, slot = next((day["room"], slot) for day in days for slot in day["slots"])

order = {
    "room": room,
    "starts_at": slot["starts_at"],
    "party_size": 4,
    "customer": {"name": "Ada Lovelace", "email": "ada@example.com"},
}
booking = api("POST", "/bookings", order, **{"Idempotency-Key": str(uuid.uuid4())})  # keep the key with your order
print("Booked:", booking["reference"], booking["starts_at_local"], booking["price"]["total"], booking["currency"])

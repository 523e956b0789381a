# Lists the rooms, finds an open slot, books it. BOOKINGFLOW_URL=… BOOKINGFLOW_KEY=bkf_test_… bash quickstart.sh
set -eu

api() { # api PATH [BODY]: a call, POST when there is a body
  curl -sS --fail-with-body "$BOOKINGFLOW_URL/api/v1/public/$1" \
    -H "Authorization: Bearer $BOOKINGFLOW_KEY" \
    ${2:+-H "Content-Type: application/json" -H "Idempotency-Key: order-$(date +%s)-$$" -d "$2"}
}
pick() { python3 -c "import json, sys; d = json.load(sys.stdin); print($1)"; }

echo "Rooms: $(api "rooms?status=active" | pick "', '.join(room['name'] for room in d['data'])")"

slots=$(api "schedules?party_size=4")
room=$(echo "$slots" | pick "next(day['room'] for day in d['data'] if day['slots'])")
starts_at=$(echo "$slots" | pick "next(day['slots'][0]['starts_at'] for day in d['data'] if day['slots'])")

booking=$(api bookings "{\"room\": \"$room\", \"starts_at\": \"$starts_at\", \"party_size\": 4,
  \"customer\": {\"name\": \"Ada Lovelace\", \"email\": \"ada@example.com\"}}")
echo "Booked: $(echo "$booking" | pick "d['reference'], d['starts_at_local'], d['price']['total'], d['currency']")"

"""`make bench`: what API and dashboard cost in one process and what webhooks cost, each figure beside a floor of the same run.
`python -m benchmarks webhooks` is the last part alone; `api` and `pages` are the others.

Times are medians and 99th percentiles of single calls through Django's whole request path, without a network. The floor
of a read is the work that no implementation can avoid: the same statements through psycopg alone.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookingflow.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - after setup
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from benchmarks import dataset, pages, webhooks  # noqa: E402
from benchmarks.measuring import measure  # noqa: E402

ROUNDS = 200


def floor_of(call: Callable[[], Any]) -> Callable[[], None]:
    """The statements that a call sends, sent again through psycopg alone."""
    with CaptureQueriesContext(connection) as captured:
        call()
    statements = [query["sql"] for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))]
    raw = connection.connection

    def send() -> None:
        for statement in statements:
            raw.execute(statement).fetchall()

    return send


def calls(data: dataset.Data) -> None:
    client = Client(SERVER_NAME="127.0.0.1", headers={"Authorization": f"Bearer {data.secret}"})

    def get(path: str) -> Callable[[], None]:
        def call() -> None:
            answer = client.get(f"/api/v1/public{path}")
            assert answer.status_code == 200, answer.content

        return call

    def post(body: Callable[[], Any]) -> Callable[[], None]:
        def call() -> None:
            answer = client.post("/api/v1/public/bookings", body(), content_type="application/json")
            assert answer.status_code == 201, answer.content

        return call

    reads = {
        "key check alone (GET /me)": "/me",
        "one booking": f"/bookings/{data.booking}",
        "100 bookings, customer and room expanded": "/bookings?limit=100&expand=customer,room",
        "availability, 10 rooms × 31 days": f"/schedules?room={data.rooms}&date_from={data.first_day}&date_to={data.last_day}",
        "the same as days": f"/schedules?room={data.rooms}&date_from={data.first_day}&date_to={data.last_day}&view=days",
    }
    print(f"\n{dataset.BOOKINGS:,} bookings in {dataset.ROOMS} rooms; milliseconds\n")
    print(f"| {'call':42} | p50 | p99 | floor p50 | ratio |")
    print(f"| {'-' * 42} | ---: | ---: | ---: | ---: |")
    for name, path in reads.items():
        call = get(path)
        floor = measure(floor_of(call), ROUNDS)[0]
        median, worst = measure(call, ROUNDS)
        print(f"| {name:42} | {median:.2f} | {worst:.2f} | {floor:.2f} | {median / floor:.1f} |", flush=True)
    insert = measure(data.insert_plainly, ROUNDS)[0]
    for name, extra in (("create a booking", {}), ("create it held", {"hold": True})):
        median, worst = measure(post(lambda extra=extra: {**data.next_body(), **extra}), ROUNDS)  # type: ignore[misc]
        print(f"| {name:42} | {median:.2f} | {worst:.2f} | {insert:.2f} | {median / insert:.1f} |", flush=True)


def main(parts: list[str]) -> None:
    call_command("migrate", verbosity=0)
    if not parts or "api" in parts or "pages" in parts:
        print("Making data", flush=True)
        data = dataset.make()
        if "pages" not in parts:
            calls(data)
        if "api" not in parts:
            pages.main(data)
    if not parts or "webhooks" in parts:
        webhooks.main()


if __name__ == "__main__":
    main(sys.argv[1:])

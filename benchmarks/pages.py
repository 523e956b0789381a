"""What the dashboard's pages cost the server, each beside a bare page of the same frame taken in the same run."""

import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import override_settings

from benchmarks import dataset
from benchmarks.measuring import measure
from dashboard.access import ORGANIZATION
from organizations.actor import Actor
from organizations.models import Organization, User
from organizations.permissions import Role
from organizations.services import add_member
from webhooks.services import create_endpoint

PLAIN = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
ROUNDS = 60


def main(data: "dataset.Data") -> None:
    organization = Organization.objects.get(pk=data.organization)
    by = Actor.system(organization)
    owner = User.objects.create_user(f"owner-{time.time()}@benchmark.example", name="Owner")
    add_member(organization=organization, user=owner, role=Role.OWNER, by=by)
    endpoint, _ = create_endpoint(by=by, url="https://example.com/hook")
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(owner)
    session = client.session
    session[ORGANIZATION] = organization.public_id
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session.save()
    pages = {
        "Home": "",
        "Home, 12 weeks": "?weeks=12",
        "Calendar, day of 20 rooms": "/calendar",
        "Calendar, week": "/calendar/week",
        "Bookings, coming": "/bookings",
        "Bookings, all": "/bookings?when=all",
        "Booking": f"/bookings/{data.booking}",
        "New booking, day and slots": f"/bookings/new?form=benchmark&room={data.room}",
        "Search": "/search?q=ada",
        "Rooms": "/rooms",
        "Room": f"/rooms/{data.room}",
        "Room's schedule": f"/rooms/{data.room}/schedule",
        "Customers": "/customers",
        "Customer with all the bookings": f"/customers/{data.customer}",
        "Payments": "/payments",
        "Developers": "/settings/developers",
        "API keys": "/settings/developers/keys",
        "Request log": "/settings/developers/log",
        "Webhook endpoint": f"/settings/developers/webhooks/{endpoint.public_id}",
        "Playground": "/settings/developers/playground",
        "Audit trail": "/settings/audit",
    }
    with override_settings(STORAGES={**PLAIN, "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}):
        floor = measure(visit(client, "/more"), ROUNDS)[0]
        print(f"\nPages in an organization of {dataset.BOOKINGS:,} bookings; milliseconds of the server\n")
        print(f"| {'page':34} | queries | p50 | p95 | bare page p50 | ratio |")
        print(f"| {'-' * 34} | ---: | ---: | ---: | ---: | ---: |")
        for name, path in pages.items():
            call = visit(client, path)
            median, late = measure(call, ROUNDS, share=95)
            asked = queries(call)  # afterwards: the first visit of some makes what later ones find
            print(f"| {name:34} | {asked} | {median:.1f} | {late:.1f} | {floor:.1f} | {median / floor:.1f} |", flush=True)
        headers = {"If-None-Match": client.get("/dashboard/live")["ETag"]}
        median, late = measure(visit(client, "/live", expected=304, headers=headers), ROUNDS, share=95)
        print(f"| {'Nothing new (304)':34} | | {median:.1f} | {late:.1f} | {floor:.1f} | {median / floor:.1f} |", flush=True)


def queries(call: Callable[[], None]) -> int:
    """How often a call asks the database."""
    asked = 0

    def count(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal asked
        asked += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        call()
    return asked


def visit(client: Client, path: str, *, expected: int = 200, **more: Any) -> Callable[[], None]:
    def call() -> None:
        answer = client.get(f"/dashboard{path}", **more)
        assert answer.status_code == expected, (path, answer.status_code)

    return call

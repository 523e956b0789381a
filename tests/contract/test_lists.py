"""Every list of the API: each order it may be asked for, page by page, and how many there are."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import Index, UniqueConstraint

from bookings.models import Booking
from developers.pagination import UncountedPagination
from developers.viewsets import ApiViewSet
from rooms.models import Room
from tests import standing
from tests.cast import Player
from tests.contract.schema import BASE, document
from tests.security.routes import api_views, log_entry
from tests.stage import book, slot_at
from webhooks.engine.relay import relay

stage, alice, charlie = standing.stage, standing.alice, standing.charlie

MORE = 5  # rows of each kind beyond those of the stage
COUNTED_BY_HAND = ("/events", "/schedules")  # lists without cursors: of numbers, and of days

LISTS: dict[str, type[ApiViewSet]] = {
    name.removeprefix("GET "): view for name, view, action in api_views() if action == "list" and view.pagination_class
}
UNCOUNTED = [path for path, view in LISTS.items() if issubclass(view.pagination_class, UncountedPagination)]  # type: ignore[arg-type]
COUNTED = [path for path in (*LISTS, *COUNTED_BY_HAND) if path not in UNCOUNTED]
SORTS = [
    (path, f"{sign}{field}")
    for path, view in LISTS.items()
    for field in sorted({sort.lstrip("-") for sort in view.sorts})
    for sign in ("", "-")
]


@pytest.fixture(scope="module")
def crowded(stage: standing.Stage) -> str:
    """The id of a booking with a history and payments, on a stage with several of everything."""
    alice, ids = stage.alice, stage.ids
    api, found, room = alice.api, ids["paid"], Room.objects.with_spaces().get(public_id=ids["room"])
    for number in range(MORE):
        api.post("/venues", {"name": f"Venue {number}", "timezone": "UTC", "currency": "EUR"})
        api.post("/rooms", {"name": f"Room {number}", "venue": ids["venue"]})
        api.post("/schedules/block", {"all": True, "date_from": f"2027-08-0{number + 1}", "date_to": f"2027-08-0{number + 1}"})
        api.post("/customers", {"name": f"Customer {number}"})
        book(alice.actor, room, slot_at(20 + number))
        api.put(f"/bookings/{found}", {"notes_internal": str(number), "payment": {"mode": "pos", "amount": 1_000 + number}})
        api.post("/webhook_endpoints", {"url": f"https://example.com/{number}", "event_types": ["payment.failed"]})
        api.post("/calendar_feeds", {"room": ids["room"]})
        calendar = {"name": "C", "secret_url": "https://example.com/c.ics"}
        api.post("/calendar_imports", {"room": ids["room"], **calendar})
        replay = api.post(f"/webhook_endpoints/{ids['endpoint']}/replay", {"since": "2026-01-01T00:00:00Z"}).json()
        api.delete(f"/replays/{replay['id']}")
        log_entry(alice)
    relay()
    return found


@pytest.fixture
def booking(crowded: str, db: None) -> str:
    return crowded


def tie(view: type[ApiViewSet], field: str) -> None:
    """Give every two neighbours the same value, so that pages end between equals."""
    if field == "pk":
        return
    rows = list(view.queryset.model._base_manager.order_by("pk"))
    for first, second in zip(rows[::2], rows[1::2], strict=False):
        fields = ("starts_at", "ends_at") if field == "starts_at" else (field,)
        type(first)._base_manager.filter(pk=second.pk).update(**{name: getattr(first, name) for name in fields})


def pages(player: Player, path: str, query: str, *, towards: str = "next") -> Iterator[list[Any]]:
    cursor = ""
    while True:
        page = player.api.get(f"{path}?limit=4{query}{cursor}").json()
        yield page["data"]
        if not page[f"{towards}_cursor"]:
            return
        cursor = f"&cursor={page[f'{towards}_cursor']}"


@pytest.mark.django_db
def test_every_order_of_every_list_is_paged_without_a_gap_or_a_double(alice: Player, booking: str) -> None:
    Booking.objects.filter(status="held").update(hold_expires_at=slot_at(5))  # none expires while we look
    for view in LISTS.values():
        for sort in view.sorts:
            tie(view, sort.lstrip("-"))
    for path, sort in SORTS:
        url, about, field = path.replace("{id}", booking), f"{path} by {sort}", sort.lstrip("-")
        query = "" if field == "pk" else f"&sort={sort}"
        whole = alice.api.get(f"{url}?limit=100{query}").json()["data"]

        walked = [row for page in pages(alice, url, query) for row in page]

        assert len(walked) > MORE, about
        assert walked == whole, about
        if field != "pk":
            values = [row[field] for row in walked]
            assert len(set(values)) < len(values), f"{about}: no ties"
            assert values == sorted(values, reverse=sort.startswith("-")), about
            assert {repr(row) for row in walked} == {
                repr(row) for row in alice.api.get(f"{url}?limit=100&sort={field}").json()["data"]
            }, about


@pytest.mark.parametrize("path", LISTS)
def test_an_order_that_no_list_has_is_refused_by_name(alice: Player, booking: str, path: str) -> None:
    url = path.replace("{id}", booking)
    for sort in ("nonsense", "", "-", "--created_at", "pk", "organization", "created_at,name"):
        answer = alice.api.get(f"{url}?sort={sort}")
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "sort"), sort


@pytest.mark.parametrize(("path", "view"), LISTS.items(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_order_has_an_index_and_no_missing_values(path: str, view: type[ApiViewSet]) -> None:
    """Keysets skip rows without a value; without its index a page costs as much as the whole list."""
    model: Any = view.queryset.model
    unconditional = [
        [name.lstrip("-") for name in index.fields]
        for index in [*model._meta.indexes, *model._meta.constraints]
        if isinstance(index, Index | UniqueConstraint) and index.condition is None
    ]
    for sort in view.sorts:
        field = sort.lstrip("-")
        if field == "pk":  # the lines of one object
            assert "{id}" in path
            continue
        assert not model._meta.get_field(field).null, sort
        assert ["organization", field] in [fields[:2] for fields in unconditional], sort


def test_every_list_tells_its_total_when_asked(alice: Player, charlie: Player, booking: str) -> None:
    for path in COUNTED:
        url = path.replace("{id}", booking)
        plain = alice.api.get(f"{url}?limit=1" if path != "/schedules" else url)
        counted = alice.api.get(f"{url}?include=total_count")

        assert "total_count" not in plain.json(), path
        assert counted.json()["total_count"] == len(_all(alice, url, path)), path
        if "{id}" not in path:
            assert charlie.api.get(f"{url}?include=total_count").json()["total_count"] == 0, path


def _all(player: Player, url: str, path: str) -> list[Any]:
    if path in COUNTED_BY_HAND:
        data: list[Any] = player.api.get(f"{url}?limit=100" if path == "/events" else url).json()["data"]
        return data
    return [row for page in pages(player, url, "") for row in page]


def test_the_total_is_of_what_the_filters_leave_and_of_all_pages(alice: Player, booking: str) -> None:
    first = alice.api.get("/customers?q=customer&limit=2&include=total_count").json()
    second = alice.api.get(f"/customers?q=customer&limit=2&cursor={first['next_cursor']}").json()
    events = alice.api.get("/events?type=webhook.ping&include=total_count").json()

    assert (first["total_count"], len(first["data"]), len(second["data"])) == (MORE, 2, 2)
    assert "total_count" not in second
    assert events["total_count"] == 0


@pytest.mark.parametrize("path", UNCOUNTED)
def test_what_is_not_counted_says_so(alice: Player, path: str) -> None:
    answer = alice.api.get(f"{path}?include=total_count")

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "include")


@pytest.mark.parametrize("path", COUNTED)
def test_anything_else_to_include_is_refused_by_name(alice: Player, booking: str, path: str) -> None:
    url = path.replace("{id}", booking)
    for included in ("nonsense", "total_count,nonsense"):
        answer = alice.api.get(f"{url}?include={included}")
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "include")


def test_one_query_counts(alice: Player, booking: str, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):  # the key, and a page
        alice.api.get("/bookings?limit=2")
    with django_assert_num_queries(3):
        alice.api.get("/bookings?limit=2&include=total_count")


def test_every_list_documents_whether_it_is_counted() -> None:
    for path in (*LISTS, *COUNTED_BY_HAND):
        operation = document()["paths"][BASE + path]["get"]
        documented = "include" in [parameter["name"] for parameter in operation["parameters"]]
        assert documented == (path in COUNTED), path

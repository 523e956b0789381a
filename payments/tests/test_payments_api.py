"""`GET /payments`, one of them, those of a booking, and the export for bookkeeping."""

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings.models import Booking
from bookings.services import work_off_payments
from developers.services import create_key
from organizations.permissions import Scope
from payments.models import Payment, Refund
from rooms.models import Room
from tests import standing
from tests.cast import Api, Player
from tests.security.routes import ABSENT
from tests.stage import book, booking_body, make_room, make_venue, slot_at
from tests.stripe.stand_in import StandIn

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris

CARD = {"payment_method": "pm_card_visa"}


def till(amount: int = 10_000, reference: str = "") -> dict[str, Any]:
    return {"mode": "pos", "amount": amount, "reference": reference}


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["data"]]


def rows(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.content
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def payment_of(booking: Booking) -> Payment:
    return Payment.objects.of(booking.public_id).get()


@pytest.fixture
def paid(alice: Player, group_room: Room) -> Booking:
    return book(alice.actor, group_room, slot_at(10), payment=till(reference="till-3/8841"))


def test_a_payment_is_shown_with_its_refunds(alice: Player, bob: Player, paid: Booking) -> None:
    alice.api.post(f"/bookings/{paid.public_id}/refunds", {"amount": 2_500, "reason": "The lights went out."})
    alice.api.post(f"/bookings/{paid.public_id}/refunds", {"amount": 500})
    payment = payment_of(paid)

    found = bob.api.get(f"/payments/{payment.public_id}").json()

    assert (found["object"], found["id"], found["booking"]) == ("payment", payment.public_id, paid.public_id)
    assert (found["mode"], found["status"], found["amount"], found["currency"]) == ("pos", "succeeded", 10_000, "EUR")
    assert (found["amount_refunded"], found["reference"], found["stripe"]) == (3_000, "till-3/8841", None)
    assert found["succeeded_at"] is not None
    told = [(part["amount"], part["status"], part["reason"], part["payment"]) for part in found["refunds"]]
    assert told == [(2_500, "succeeded", "The lights went out.", payment.public_id), (500, "succeeded", "", payment.public_id)]


def test_its_etag_tells_whether_anything_has_changed(alice: Player, paid: Booking) -> None:
    path = f"/payments/{payment_of(paid).public_id}"
    tag = alice.api.get(path)["ETag"]

    assert alice.api.get(path, if_none_match=tag).status_code == 304
    alice.api.post(f"/bookings/{paid.public_id}/refunds", {"amount": 1})
    changed = alice.api.get(path, if_none_match=tag)
    assert (changed.status_code, changed["ETag"] != tag) == (200, True)


def test_strangers_and_absent_ids_are_answered_alike(alice: Player, charlie: Player, paid: Booking) -> None:
    for path, absent in (
        (f"/payments/{payment_of(paid).public_id}", f"/payments/pay_{ABSENT}"),
        (f"/bookings/{paid.public_id}/payments", f"/bookings/bkg_{ABSENT}/payments"),
        (f"/bookings/{paid.reference}/payments", "/bookings/ZZZZZZZZ/payments"),
    ):
        assert alice.api.get(path).status_code == 200
        assert (charlie.api.get(path).status_code, alice.api.get(absent).status_code) == (404, 404)
    assert alice.api.get("/payments/no-such-id").status_code == 404
    assert ids(charlie.api.get("/payments")) == []
    assert rows(charlie.api.get("/payments/export")) == []


def test_only_a_key_that_reads_payments_gets_in(alice: Player, paid: Booking) -> None:
    _, secret = create_key(
        by=alice.actor, name="all but money", scopes=[scope for scope in Scope if scope != Scope.PAYMENTS_READ]
    )
    blind = Api(secret)

    for path in (
        "/payments",
        f"/payments/{payment_of(paid).public_id}",
        f"/bookings/{paid.public_id}/payments",
        "/payments/export",
    ):
        refused = blind.get(path)
        assert (refused.status_code, refused.json()["required_scopes"]) == (403, ["payments:read"])
        assert alice.api.post(path).status_code == 405


def test_filters_narrow_and_combine(alice: Player, group_room: Room, paid: Booking, stripe: StandIn) -> None:
    other = book(alice.actor, group_room, slot_at(11), payment={**till(4_000), "mode": "external"})
    card = alice.api.post("/bookings", booking_body(group_room, slot_at(12), payment={"mode": "stripe"})).json()["payment"]
    dollars = make_room(
        alice.actor,
        make_venue(alice.actor, name="Soho", currency="USD"),
        name="Speakeasy",
        pricing={"model": "per_group", "currency": "USD", "amount": 9_000},
    )
    abroad = payment_of(book(alice.actor, dollars, slot_at(12), payment=till(9_000)))
    a, b, c, d = payment_of(paid).public_id, payment_of(other).public_id, card["id"], abroad.public_id
    Payment.objects.filter(public_id=a).update(created_at=dt.datetime(2026, 3, 29, 23, 59, 59, tzinfo=dt.UTC))
    Payment.objects.filter(public_id=b).update(created_at=dt.datetime(2026, 3, 30, tzinfo=dt.UTC))

    def found(query: str) -> list[str]:
        return ids(alice.api.get(f"/payments?{query}"))

    assert found("") == [d, c, b, a]
    assert found("sort=created_at") == [a, b, c, d]
    assert found(f"booking={paid.public_id}") == [a]
    assert found(f"booking={paid.public_id},{other.public_id}") == [b, a]
    assert found("mode=pos") == [d, a]
    assert found("mode=external&mode=stripe") == [c, b]
    assert found("status=pending") == [c]
    assert found("status=succeeded,pending&mode=stripe") == [c]
    assert found("currency=USD") == [d]
    assert found("reference=till-3/8841") == [a]
    assert found(f"intent={card['stripe']['payment_intent']}") == [c]
    assert found("date_to=2026-03-29") == [a]
    assert found("date_from=2026-03-30&date_to=2026-03-30") == [b]
    assert found("date_from=2026-03-30") == [d, c, b]


@pytest.mark.parametrize(
    ("path", "query", "parameter"),
    [
        ("/payments", "state=paid", "state"),
        ("/payments", "status=paid", "status"),
        ("/payments", "mode=cash", "mode"),
        ("/payments", f"booking=bkg_{ABSENT}", "booking"),
        ("/payments", "date_from=yesterday", "date_from"),
        ("/payments", "sort=amount", "sort"),
        ("/payments/export", "mode=pos", "mode"),
        ("/payments/export", "date_from=2026-02-30", "date_from"),
        ("/payments/export", "date_from=2026-03-02&date_to=2026-03-01", "date_to"),
        ("/bookings/{id}/payments", "status=succeeded", "status"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(alice: Player, paid: Booking, path: str, query: str, parameter: str) -> None:
    refused = alice.api.get(f"{path.replace('{id}', paid.public_id)}?{query}")

    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (422, parameter)


def test_a_foreign_booking_in_the_filter_is_an_unknown_one(charlie: Player, paid: Booking) -> None:
    refused = charlie.api.get(f"/payments?booking={paid.public_id}")

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "unknown")


def test_pages_are_whole_and_cost_the_same_however_many_rows(alice: Player, group_room: Room) -> None:
    expected: list[tuple[str, int]] = []
    for days in range(10, 16):
        booking = book(alice.actor, group_room, slot_at(days), payment=till())
        alice.api.post(f"/bookings/{booking.public_id}/refunds", {"amount": 100 * days})
        expected.insert(0, (payment_of(booking).public_id, 100 * days))

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            alice.api.get(path)
        return len(captured)

    queries("/payments")  # the first call of a key notes that it was used
    assert queries("/payments?limit=1") == queries("/payments?limit=6")
    seen, cursor = [], ""
    while True:
        page = alice.api.get(f"/payments?limit=4{cursor and f'&cursor={cursor}'}").json()
        seen += [(row["id"], row["amount_refunded"]) for row in page["data"]]
        if not page["has_more"]:
            break
        cursor = page["next_cursor"]
    assert seen == expected


def test_a_bookings_payments_cost_the_same_however_many_there_are(alice: Player, paid: Booking) -> None:
    path = f"/bookings/{paid.public_id}/payments"
    alice.api.post(f"/bookings/{paid.public_id}/refunds", {"amount": 100})

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            alice.api.get(path)
        return len(captured)

    queries()
    few = queries()
    for amount in (500, 600):
        assert alice.api.put(f"/bookings/{paid.public_id}", {"payment": till(amount)}).status_code == 200
        assert alice.api.post(f"/bookings/{paid.public_id}/refunds", {"amount": amount}).status_code == 201
    assert queries() == few
    found = [(row["amount"], [part["amount"] for part in row["refunds"]]) for row in alice.api.get(path).json()["data"]]
    assert found == [(600, [600]), (500, [500]), (10_000, [100])]
    assert ids(alice.api.get(f"/bookings/{paid.reference.lower()}/payments")) == ids(alice.api.get(path))


def test_a_booking_without_payments_has_none(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))

    assert ids(alice.api.get(f"/bookings/{booking.public_id}/payments")) == []


def test_a_failed_refund_is_shown_and_not_counted(alice: Player, group_room: Room, stripe: StandIn) -> None:
    booking = alice.api.post("/bookings", booking_body(group_room, slot_at(10), payment=CARD)).json()
    stripe.let_refunds_pend()
    alice.api.post(f"/bookings/{booking['id']}/refunds", {"amount": 4_000})
    work_off_payments()

    pending = alice.api.get(f"/payments/{booking['payment']['id']}").json()
    assert (pending["amount_refunded"], pending["refunds"][0]["status"]) == (4_000, "pending")
    assert [row["type"] for row in rows(alice.api.get("/payments/export"))] == ["payment"]

    stripe.fail_refund(stripe.refunds()[0]["id"])
    Refund.objects.update(check_at=timezone.now())
    work_off_payments()
    failed = alice.api.get(f"/payments/{booking['payment']['id']}").json()
    assert (failed["amount_refunded"], failed["refunds"][0]["status"]) == (0, "failed")
    assert failed["refunds"][0]["failure"]
    assert [row["type"] for row in rows(alice.api.get("/payments/export"))] == ["payment"]


def test_the_export_has_a_line_for_each_movement_of_money(alice: Player, bob: Player, group_room: Room, stripe: StandIn) -> None:
    at_the_till = book(alice.actor, group_room, slot_at(10), payment=till(9_000, "till-3/8841"))
    alice.api.post(f"/bookings/{at_the_till.public_id}/refunds", {"amount": 2_505})
    booking = alice.api.post("/bookings", booking_body(group_room, slot_at(11), payment=CARD)).json()
    alice.api.post("/bookings", booking_body(group_room, slot_at(12), payment={"mode": "stripe"}))  # nobody pays it
    alice.api.post(f"/bookings/{booking['id']}/refunds")
    work_off_payments()

    answer = bob.api.get("/payments/export", accept="text/csv")

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="payments.csv"'
    lines = rows(answer)
    payment, refund = payment_of(at_the_till), Refund.objects.get(subject=at_the_till.public_id)
    assert lines[0] == {
        "date": lines[0]["date"],
        "type": "payment",
        "id": payment.public_id,
        "payment": payment.public_id,
        "booking": at_the_till.public_id,
        "booking_reference": at_the_till.reference,
        "amount_minor": "9000",
        "amount": "90.00",
        "currency": "EUR",
        "mode": "pos",
        "status": "succeeded",
        "reference": "till-3/8841",
        "stripe_payment_intent": "",
        "stripe_charge": "",
        "stripe_refund": "",
    }
    assert dt.datetime.fromisoformat(lines[0]["date"]).tzinfo == dt.UTC
    assert (lines[1]["type"], lines[1]["id"], lines[1]["payment"]) == ("refund", refund.public_id, payment.public_id)
    assert (lines[1]["amount_minor"], lines[1]["amount"]) == ("-2505", "-25.05")
    through_stripe = booking["payment"]["stripe"]
    for line in lines[2:]:
        assert (line["booking"], line["booking_reference"], line["mode"]) == (booking["id"], booking["reference"], "stripe")
        assert (line["stripe_payment_intent"], line["stripe_charge"]) == (
            through_stripe["payment_intent"],
            through_stripe["charge"],
        )
    assert [(line["type"], line["stripe_refund"]) for line in lines[2:]] == [
        ("payment", ""),
        ("refund", stripe.refunds()[0]["id"]),
    ]
    assert sum(int(line["amount_minor"]) for line in lines) == 9_000 - 2_505


@pytest.mark.parametrize(("currency", "text"), [("JPY", "1050"), ("EUR", "10.50"), ("KWD", "1.050")])
def test_amounts_have_the_digits_of_their_currency(alice: Player, paid: Booking, currency: str, text: str) -> None:
    Payment.objects.update(currency=currency, amount=1_050)

    assert [row["amount"] for row in rows(alice.api.get("/payments/export"))] == [text]


def test_the_exports_days_are_those_on_which_the_money_moved(alice: Player, paid: Booking) -> None:
    alice.api.post(f"/bookings/{paid.public_id}/refunds", {"amount": 100})
    Payment.objects.update(
        created_at=dt.datetime(2026, 3, 29, 23, 50, tzinfo=dt.UTC), succeeded_at=dt.datetime(2026, 3, 30, 0, 5, tzinfo=dt.UTC)
    )
    Refund.objects.update(succeeded_at=dt.datetime(2026, 3, 31, 23, 59, 59, tzinfo=dt.UTC))

    def days(query: str) -> list[str]:
        return [row["date"] for row in rows(alice.api.get(f"/payments/export?{query}"))]

    assert days("date_to=2026-03-29") == []
    assert days("date_from=2026-03-30&date_to=2026-03-30") == ["2026-03-30T00:05:00Z"]
    assert days("date_from=2026-03-31&date_to=2026-03-31") == ["2026-03-31T23:59:59Z"]
    assert days("date_from=2026-04-01") == []


@pytest.mark.parametrize("reference", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("https://evil.example","x")', "＝1+1"])
def test_no_reference_is_taken_for_a_formula(alice: Player, group_room: Room, reference: str) -> None:
    book(alice.actor, group_room, slot_at(10), payment=till(reference=reference))

    assert [row["reference"] for row in rows(alice.api.get("/payments/export"))] == [f"'{reference}"]


def test_commas_quotes_and_line_breaks_stay_in_their_field(alice: Player, group_room: Room) -> None:
    book(alice.actor, group_room, slot_at(10), payment=till(reference='a,"b"\nc;é'))

    assert [row["reference"] for row in rows(alice.api.get("/payments/export"))] == ['a,"b"\nc;é']


def test_the_export_is_csv_and_what_it_refuses_is_json(alice: Player, paid: Booking) -> None:
    wrong = alice.api.get("/payments/export", accept="application/json")
    assert (wrong.status_code, wrong.json()["code"]) == (406, "not_acceptable")
    assert wrong["Content-Type"] == "application/problem+json"
    assert alice.api.get("/payments", accept="text/csv").status_code == 406
    assert Api().get("/payments/export", accept="text/csv").json()["code"] == "authentication_required"
    assert len(rows(alice.api.get("/payments/export", accept="text/*"))) == 1


def test_an_export_of_many_lines_takes_few_queries(alice: Player, paid: Booking) -> None:
    payment = payment_of(paid)
    many = 1_200
    Payment.objects.bulk_create(
        Payment(
            organization=alice.organization,
            subject=paid.public_id,
            mode="pos",
            amount=number,
            currency="EUR",
            succeeded_at=payment.succeeded_at,
        )
        for number in range(1, many)
    )

    with CaptureQueriesContext(connection) as captured:
        lines = rows(alice.api.get("/payments/export"))

    assert [int(line["amount_minor"]) for line in lines] == [10_000, *range(1, many)]
    assert {line["booking_reference"] for line in lines} == {paid.reference}
    assert len(captured) < 15

"""A refund that Stripe cannot carry out: the money is still here, our sums say so, and the owners hear of it."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from bookings.models import Booking, BookingHistory
from bookings.services import work_off_payments
from common import jobs
from developers.models import ApiKey
from organizations.models import Membership
from organizations.permissions import Role
from payments import tasks
from payments.models import Payment, Refund
from rooms.models import Room
from rooms.services import sandbox_for
from tests.cast import Player, enter
from tests.stage import booking_body, slot_at
from tests.stripe.stand_in import StandIn
from webhooks.models import Event

pytestmark = pytest.mark.django_db

TELL = "payments.tasks.tell_owners_of_failed_refund"


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(jobs, "send", lambda *call: calls.append(call))
    return calls


@pytest.fixture
def refunded(alice: Player, group_room: Room, stripe: StandIn) -> Refund:
    """Paid by card, canceled, and given back for all that Stripe knew."""
    booking = alice.api.post("/bookings", booking_body(group_room, slot_at(10, 17), payment={"payment_method": "pm_card_visa"}))
    assert alice.api.delete(f"/bookings/{booking.json()['id']}").status_code == 200
    work_off_payments()
    refund = Refund.objects.get()
    assert refund.status == Refund.Status.SUCCEEDED
    return refund


def hear(stripe: StandIn, type: str) -> None:
    """Stripe's news of that type, taken in and worked off."""
    for event in stripe.events(type):
        body, headers = stripe.signed(event)
        answer = Client().post("/webhooks/stripe", body, content_type="application/json", headers=headers)
        assert answer.status_code == 200
    work_off_payments()


def test_days_later_the_bank_sends_it_back(
    alice: Player, refunded: Refund, stripe: StandIn, queued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    before = Booking.objects.get()
    assert (before.amount_refunded, before.payment_status) == (10_000, "refunded")
    versions = before.version, refunded.payment.version
    stripe.fail_refund(refunded.stripe_id, "expired_or_canceled_card")

    with django_capture_on_commit_callbacks(execute=True):
        hear(stripe, "refund.failed")
        hear(stripe, "refund.failed")
        hear(stripe, "charge.refund.updated")

    booking, refund = Booking.objects.get(), Refund.objects.get()
    assert (refund.status, refund.failure, refund.check_at) == ("failed", "expired_or_canceled_card", None)
    assert (booking.status, booking.payment_status) == ("canceled", "paid")
    assert (booking.amount_paid, booking.amount_refunded) == (10_000, 0)
    assert (booking.version, refund.payment.version) == (versions[0] + 1, versions[1] + 1)
    assert (stripe.charged(), stripe.refunded()) == (10_000, 0)
    (line,) = BookingHistory.objects.filter(action="refund_failed")
    assert (line.actor_type, line.changes["amount_refunded"], line.changes["payment_status"]) == (
        "system",
        [10_000, 0],
        ["refunded", "paid"],
    )
    event = Event.objects.latest("pk")
    assert (event.type, event.data["object"]["amount_refunded"]) == ("booking.updated", 0)
    assert event.data["previous_attributes"]["amount_refunded"] == 10_000
    assert [call for call in queued if call[0] == TELL] == [(TELL, refund.pk)]
    assert alice.api.delete(f"/bookings/{booking.public_id}").json()["refund"]["status"] == "failed"


def test_it_can_be_ordered_again(alice: Player, refunded: Refund, stripe: StandIn) -> None:
    stripe.fail_refund(refunded.stripe_id)
    hear(stripe, "refund.failed")

    again = alice.api.post(f"/bookings/{refunded.subject}/refunds")
    work_off_payments()

    assert again.status_code == 201, again.content
    assert Booking.objects.get().payment_status == "refunded"
    assert (stripe.refunded(), len(stripe.refunds())) == (10_000, 2)
    assert sorted(Refund.objects.values_list("status", flat=True)) == ["failed", "succeeded"]


def test_one_that_stripe_refuses_at_once(
    alice: Player, group_room: Room, stripe: StandIn, queued: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    """Somebody has given it back in Stripe's own pages already."""
    booking = alice.api.post(
        "/bookings", booking_body(group_room, slot_at(10), payment={"payment_method": "pm_card_visa"})
    ).json()
    with stripe._door.work:
        order = {"payment_intent": booking["payment"]["stripe"]["payment_intent"]}
        stripe.account.perform("POST", "/v1/refunds", order, request={"id": None, "idempotency_key": None})

    with django_capture_on_commit_callbacks(execute=True):
        assert alice.api.post(f"/bookings/{booking['id']}/refunds").json()["refund"]["status"] == "pending"
        work_off_payments()

    refund = Refund.objects.get()
    assert (refund.status, refund.stripe_id, refund.check_at) == ("failed", "", None)
    assert "already been refunded" in refund.failure
    assert Booking.objects.get().amount_refunded == 0
    assert (TELL, refund.pk) in queued


def test_one_that_is_refused_while_it_is_on_its_way(alice: Player, group_room: Room, stripe: StandIn) -> None:
    booking = alice.api.post(
        "/bookings", booking_body(group_room, slot_at(10), payment={"payment_method": "pm_card_visa"})
    ).json()
    stripe.let_refunds_pend()
    alice.api.post(f"/bookings/{booking['id']}/refunds", {"amount": 4_000})
    work_off_payments()
    refund = Refund.objects.get()
    assert (refund.status, Booking.objects.get().amount_refunded) == ("pending", 4_000)

    stripe.fail_refund(refund.stripe_id, "declined")
    hear(stripe, "refund.updated")

    refund.refresh_from_db()
    assert (refund.status, refund.failure) == ("failed", "declined")
    after = Booking.objects.get()
    assert (after.status, after.payment_status, after.amount_refunded) == ("confirmed", "paid", 0)
    assert not Event.objects.filter(type="payment.refunded").exists()


def fail(refund: Refund, failure: str = "expired_or_canceled_card") -> None:
    Refund.objects.update(status=Refund.Status.FAILED, failure=failure)


def test_owners_and_managers_read_which_booking_how_much_why_and_what_to_do(
    alice: Player, bob: Player, refunded: Refund, mailoutbox: list[Any], settings: Any
) -> None:
    enter("mary", alice.organization, Role.MANAGER, ApiKey.Preset.READ_WRITE)
    enter("stan", alice.organization, Role.STAFF, ApiKey.Preset.READ_ONLY)
    fail(refunded)
    booking = Booking.objects.get()

    tasks.tell_owners_of_failed_refund(refunded.pk)

    (mail,) = mailoutbox
    assert mail.to == ["alice@example.com", "mary@example.com"]
    assert mail.subject == f"A refund of €100 for booking {booking.reference} has failed"
    html, kind = mail.alternatives[0]
    assert kind == "text/html"
    local = booking.starts_at.astimezone(ZoneInfo("Europe/Paris"))
    for text in (mail.body, html):
        for part in (
            "€100 could not be given back for a booking of Alpha.",
            booking.public_id,
            f"Vault, {local:%Y-%m-%d %H:%M} Europe/Paris",
            refunded.public_id,
            refunded.stripe_id,
            refunded.payment.intent,
            "expired_or_canceled_card",
            "order the refund again",
            f"{settings.PUBLIC_URL}/backend/docs/api.md#payments",
        ):
            assert part in text
        assert "Ada" not in text  # whoever needs the customer looks the booking up


def test_names_are_text_in_the_letter(alice: Player, refunded: Refund, mailoutbox: list[Any]) -> None:
    Room.objects.update(name="<b>Vault</b> & Co")
    fail(refunded, "<script>")

    tasks.tell_owners_of_failed_refund(refunded.pk)

    (mail,) = mailoutbox
    assert "<b>Vault</b> & Co" in mail.body
    assert "&lt;b&gt;Vault&lt;/b&gt; &amp; Co" in mail.alternatives[0][0]
    assert "<script>" not in mail.alternatives[0][0]


def test_a_sandbox_s_letters_go_to_the_people_of_its_organization(alice: Player, refunded: Refund, mailoutbox: list[Any]) -> None:
    fail(refunded)
    sandbox = sandbox_for(alice.organization)
    for model in (Booking, Payment, Refund):
        model.objects.update(organization=sandbox)

    tasks.tell_owners_of_failed_refund(refunded.pk)

    (mail,) = mailoutbox
    assert mail.to == ["alice@example.com"]
    assert "(test mode)" in mail.body


def test_nobody_is_told_of_what_has_not_failed_or_where_nobody_is(alice: Player, refunded: Refund, mailoutbox: list[Any]) -> None:
    tasks.tell_owners_of_failed_refund(refunded.pk)
    tasks.tell_owners_of_failed_refund(refunded.pk + 1)
    fail(refunded)
    Membership.objects.all().delete()
    tasks.tell_owners_of_failed_refund(refunded.pk)

    assert mailoutbox == []


def test_a_mail_server_that_is_away_is_tried_again(refunded: Refund, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)
    monkeypatch.setattr(f"{TELL}.retry", lambda **options: RuntimeError("again"))
    fail(refunded)

    with pytest.raises(RuntimeError, match="again"):
        tasks.tell_owners_of_failed_refund(refunded.pk)

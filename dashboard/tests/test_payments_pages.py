"""Payments, and the way to Stripe."""

import csv
import io
from typing import Any

import pytest

from bookings.models import Booking
from bookings.services import refund_booking
from common.signing import decrypt
from dashboard.tests.pages import queries, sign_in
from organizations.models import AuditEntry
from payments.models import Payment, StripeAccount
from rooms.models import Room
from tests.cast import Player
from tests.stage import book, slot_at

KEYS = {"publishable_key": "pk_test_1", "secret_key": "sk_test_mine", "webhook_secret": "whsec_mine"}


@pytest.fixture
def paid(alice: Player, group_room: Room) -> Booking:
    booking = book(alice.actor, group_room, slot_at(5), payment={"mode": "pos", "amount": 10_000, "reference": "T-1"})
    refund_booking(booking=booking, amount=2_500, by=alice.actor)
    return booking


def test_what_came_and_went_back_is_listed(alice: Player, paid: Booking) -> None:
    client = sign_in(alice)
    with queries():
        page = client.get("/dashboard/payments").content.decode()

    assert all(part in page for part in ("€100.00", "€25.00", paid.reference, "Ada", "T-1"))


def test_views_and_days_narrow_the_list(alice: Player, paid: Booking) -> None:
    client = sign_in(alice)

    def shown(**params: str) -> int:
        return len(client.get("/dashboard/payments", params).context["pager"].rows)

    assert (shown(), shown(view="received"), shown(view="failed"), shown(mode="stripe")) == (1, 1, 0, 0)
    assert (shown(date_from="2020-01-01"), shown(date_to="2020-01-01")) == (1, 0)
    assert client.get("/dashboard/payments", {"date_from": "yesterday"}).status_code == 422


def test_the_file_is_the_apis(alice: Player, paid: Booking) -> None:
    ours = sign_in(alice).get("/dashboard/payments/export").getvalue()
    rows = list(csv.DictReader(io.StringIO(ours.decode())))

    assert ours == alice.api.get("/payments/export", accept="text/csv").content
    assert [row["amount"] for row in rows] == ["100.00", "-25.00"]


def test_another_organizations_money_does_not_show(charlie: Player, paid: Booking) -> None:
    assert sign_in(charlie).get("/dashboard/payments").context["pager"].rows == []
    assert Payment.objects.count() == 1


class TestStripe:
    def test_keys_are_kept_encrypted_and_never_shown(self, alice: Player) -> None:
        client = sign_in(alice)
        client.post("/dashboard/settings/payments", KEYS)
        page = client.get("/dashboard/settings/payments").content.decode()

        account = StripeAccount.objects.get(organization=alice.organization)
        assert decrypt(account.secret_key) == "sk_test_mine"
        assert "sk_test_mine" not in page
        assert "whsec_mine" not in page
        assert "sk_test_mine" not in str(AuditEntry.objects.filter(action="stripe_account.changed").values_list("details"))

    def test_an_empty_secret_stays_as_it_is(self, alice: Player) -> None:
        client = sign_in(alice)
        client.post("/dashboard/settings/payments", KEYS)
        client.post("/dashboard/settings/payments", {"publishable_key": "pk_test_2"})

        account = StripeAccount.objects.get(organization=alice.organization)
        assert (account.publishable_key, decrypt(account.secret_key)) == ("pk_test_2", "sk_test_mine")

    def test_what_is_no_key_is_refused_by_name(self, alice: Player) -> None:
        answer = sign_in(alice).post("/dashboard/settings/payments", {**KEYS, "secret_key": "pk_test_1"})

        assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["secret_key"])
        assert b"sk_test" not in answer.content

    def test_a_connect_account_cannot_be_claimed_by_typing_its_id(self, alice: Player) -> None:
        sign_in(alice).post("/dashboard/settings/payments", {**KEYS, "connected_account": "acct_another"})

        assert StripeAccount.objects.get().connected_account == ""

    def test_the_connection_is_tried(self, alice: Player, stripe: Any, settings: Any) -> None:
        client = sign_in(alice)
        works = client.post("/dashboard/settings/payments/test", follow=True).content.decode()
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"
        fails = client.post("/dashboard/settings/payments/test", follow=True).content.decode()

        assert "the connection works" in works
        assert "Stripe does not answer" in fails

    def test_own_keys_are_removed(self, alice: Player) -> None:
        client = sign_in(alice)
        client.post("/dashboard/settings/payments", KEYS)
        client.post("/dashboard/settings/payments/forget")

        account = StripeAccount.objects.get(organization=alice.organization)
        assert (account.secret_key, account.webhook_secret, account.publishable_key) == ("", "", "")

    def test_one_has_to_prove_who_one_is(self, alice: Player) -> None:
        client = sign_in(alice, recently=False)
        answer = client.post("/dashboard/settings/payments", KEYS)

        assert answer["Location"].startswith("/accounts/reauthenticate/")
        assert not StripeAccount.objects.exists()
        assert "sk_test_mine" not in str(dict(client.session))

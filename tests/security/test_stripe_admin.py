"""Money and Stripe accounts in the operators' admin: keys go in and never come out, and what is left goes back once."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from bookings.models import Booking
from bookings.services import refund_booking, work_off_payments
from common.signing import decrypt
from organizations.models import AuditEntry, User
from payments.errors import RefundExceedsPaid
from payments.gateway import account_of
from payments.models import Payment, Refund, StripeAccount
from payments.services import set_stripe_account
from rooms.models import Room
from rooms.services import sandbox_for
from tests.cast import Player
from tests.security.test_admin import act, told, url
from tests.stage import book, slot_at
from tests.stripe.stand_in import StandIn

KEY, SECRET = "sk_test_alphas_very_own", "whsec_alphas_very_own"


@pytest.fixture
def account(alice: Player) -> StripeAccount:
    return set_stripe_account(by=alice.actor, secret_key=KEY, webhook_secret=SECRET)


def errors(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["adminform"].form.errors)


# Stripe accounts


def test_an_account_is_set_up_without_its_secrets_ever_showing(operator: Client, alice: Player) -> None:
    data = {"organization": alice.organization.pk, "new_secret_key": KEY, "new_webhook_secret": SECRET}
    more = {"publishable_key": "pk_test_alpha", "api_base": "https://stripe.example/"}

    made = operator.post(url(StripeAccount, "add"), {**data, **more})

    assert made.status_code == 302, errors(made)
    row, found = StripeAccount.objects.get(), account_of(alice.organization)
    assert (row.organization, found.secret_key, decrypt(row.webhook_secret)) == (alice.organization, KEY, SECRET)
    assert (found.publishable_key, found.api_base) == ("pk_test_alpha", "https://stripe.example")
    line = AuditEntry.objects.get(action="stripe_account.changed")
    assert line.details == {"fields": ["api_base", "publishable_key", "secret_key", "webhook_secret"]}
    kept = str(list(LogEntry.objects.values())) + str(list(AuditEntry.objects.values()))
    for page in (url(row, "changelist"), url(row, "change"), url(row, "history")):
        kept += operator.get(page).content.decode()
    for secret in (KEY, SECRET, row.secret_key, row.webhook_secret):
        assert secret not in kept


def test_an_empty_field_keeps_the_secret_and_a_tick_forgets_it(
    operator: Client, alice: Player, account: StripeAccount, settings: Any
) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_platform"

    def change(**data: str) -> tuple[str, str, str]:
        assert operator.post(url(account, "change"), data).status_code == 302
        found, kept = account_of(alice.organization), StripeAccount.objects.get().webhook_secret
        return found.secret_key, decrypt(kept) if kept else "", found.connected_account

    assert change(connected_account="acct_1") == (KEY, SECRET, "acct_1")
    assert change(connected_account="acct_1", new_webhook_secret="whsec_2") == (KEY, "whsec_2", "acct_1")
    assert change(forget_secret_key="on") == ("sk_test_platform", "whsec_2", "")
    assert change(forget_webhook_secret="on") == ("sk_test_platform", "", "")
    lines = AuditEntry.objects.filter(action="stripe_account.changed").order_by("pk")
    assert [line.details["fields"] for line in lines][1:] == [
        ["connected_account"],
        ["webhook_secret"],
        ["connected_account", "secret_key"],
        ["webhook_secret"],
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("new_secret_key", "pk_test_public"),
        ("new_secret_key", "the operator's own password"),
        ("new_webhook_secret", KEY),
        ("api_base", "http://stripe.example"),
    ],
)
def test_what_cannot_be_right_is_refused_and_not_repeated(
    operator: Client, account: StripeAccount, settings: Any, field: str, value: str
) -> None:
    settings.DEVELOPMENT = False

    answer = operator.post(url(account, "change"), {field: value})

    assert (answer.status_code, list(errors(answer))) == (200, [field])
    if field != "api_base":
        assert value not in answer.content.decode().replace("&#x27;", "'")
    account.refresh_from_db()
    assert (decrypt(account.secret_key), decrypt(account.webhook_secret), account.api_base) == (KEY, SECRET, "")


def test_a_sandbox_is_given_test_keys_only(operator: Client, alice: Player) -> None:
    data = {"organization": sandbox_for(alice.organization).pk, "new_secret_key": "sk_live_alphas"}

    answer = operator.post(url(StripeAccount, "add"), data)

    assert list(errors(answer)) == ["new_secret_key"]
    assert not StripeAccount.objects.exists()
    assert operator.post(url(StripeAccount, "add"), {**data, "new_secret_key": KEY}).status_code == 302


def test_it_stays_with_its_organization_and_is_not_deleted(
    operator: Client, alice: Player, charlie: Player, account: StripeAccount
) -> None:
    operator.post(url(account, "change"), {"organization": charlie.organization.pk})
    assert StripeAccount.objects.get().organization == alice.organization

    assert operator.post(url(account, "delete"), {"post": "yes"}).status_code == 403
    assert operator.post(url(StripeAccount, "add"), {"organization": alice.organization.pk}).status_code == 200
    assert StripeAccount.objects.count() == 1


def test_only_operators_who_were_given_it_see_or_change_it(account: StripeAccount) -> None:
    clerk = User.objects.create_user("clerk@example.com", is_staff=True)
    client = Client()
    client.force_login(clerk)
    pages = [url(account, "changelist"), url(account, "change")]

    assert {client.get(page).status_code for page in pages} == {403}
    clerk.user_permissions.add(Permission.objects.get(codename="view_stripeaccount"))
    assert {client.get(page).status_code for page in pages} == {200}
    assert client.post(url(account, "change"), {"forget_secret_key": "on"}).status_code == 403
    assert client.post(url(StripeAccount, "add"), {}).status_code == 403
    account.refresh_from_db()
    assert decrypt(account.secret_key) == KEY


# Payments and refunds


@pytest.fixture
def paid(alice: Player, group_room: Room, stripe: StandIn) -> Payment:
    """€60 at the till, then the other €40 by card."""
    booking = book(alice.actor, group_room, slot_at(10), payment={"mode": "pos", "amount": 6_000})
    answer = alice.api.put(f"/bookings/{booking.public_id}", {"payment": {"payment_method": "pm_card_visa"}})
    assert answer.status_code == 200, answer.content
    return Payment.objects.get(mode="stripe")


def test_money_is_found_by_what_stripe_calls_it(operator: Client, alice: Player, group_room: Room, paid: Payment) -> None:
    refund_booking(booking=Booking.objects.get(), by=alice.actor, amount=1_000)
    work_off_payments()
    refund = Refund.objects.get()
    book(alice.actor, group_room, slot_at(11), payment={"mode": "pos", "amount": 100})

    for model, words in ((Payment, [paid.intent, paid.charge]), (Refund, [refund.stripe_id, paid.intent])):
        expected = [paid if model is Payment else refund]
        for word in words:
            assert word
            answer = operator.get(url(model, "changelist"), {"q": word})
            assert list(answer.context["cl"].queryset) == expected
            assert list(operator.get(url(model, "changelist"), {"q": word + "x"}).context["cl"].queryset) == []
    for lookup in ({"status__exact": "succeeded"}, {"mode__exact": "stripe"}, {"unwanted__exact": "0"}):
        assert paid in operator.get(url(Payment, "changelist"), lookup).context["cl"].queryset
    assert list(operator.get(url(Refund, "changelist"), {"status__exact": "failed"}).context["cl"].queryset) == []


def test_what_is_left_of_a_payment_goes_back_after_a_question(
    operator: Client, alice: Player, paid: Payment, stripe: StandIn
) -> None:
    """Of that one: the till's stays."""
    refund_booking(booking=Booking.objects.get(), by=alice.actor, amount=1_500, payment=paid)

    asked = act(operator, "refund", paid, confirm=False)
    assert "Give back all that is left" in asked.content.decode()
    assert Refund.objects.count() == 1

    answer = act(operator, "refund", paid)
    again = act(operator, "refund", paid)
    work_off_payments()

    assert told(answer) == [("success", f"{paid}: Refund ordered.")]
    assert told(again) == [("error", f"{paid}: The refund is more than was paid.")]
    assert sorted(Refund.objects.values_list("amount", "payment")) == [(1_500, paid.pk), (2_500, paid.pk)]
    booking = Booking.objects.get()
    assert (booking.status, booking.amount_refunded, booking.net_paid) == ("confirmed", 4_000, 6_000)
    assert stripe.refunded(paid.intent) == 4_000
    assert LogEntry.objects.get().user.email == "root@example.com"


def test_who_may_only_look_refunds_nothing(paid: Payment) -> None:
    viewer = User.objects.create_user("viewer@example.com", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_payment"))
    client = Client()
    client.force_login(viewer)

    assert client.get(url(paid, "change")).status_code == 200
    act(client, "refund", paid)
    assert not Refund.objects.exists()


def test_a_refund_out_of_one_payment_takes_nothing_from_another(alice: Player, group_room: Room, paid: Payment) -> None:
    booking = Booking.objects.get()
    other = book(alice.actor, group_room, slot_at(11), payment={"mode": "pos", "amount": 10_000})

    for wrong, amount, left in ((paid, 4_001, 4_000), (Payment.objects.get(subject=other.public_id), 1, 0)):
        with pytest.raises(RefundExceedsPaid) as refused:
            refund_booking(booking=booking, by=alice.actor, payment=wrong, amount=amount)
        assert refused.value.extra == {"refundable": left}
    assert not Refund.objects.exists()

    after, refunds = refund_booking(booking=booking, by=alice.actor, payment=Payment.objects.get(amount=6_000))
    assert ([refund.amount for refund in refunds], after.net_paid) == ([6_000], 4_000)

"""The operators' admin: it shows every row and no secret, changes none, and runs verbs through services."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core import serializers
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bookings.models import Booking, BookingHistory
from bookings.services import cancel_booking, quote_creation
from calendars.models import CalendarFeed, CalendarImport, ImportedTime
from common.admin import BigTableAdmin, ReadOnlyAdmin
from common.signing import decrypt
from customers.models import Customer
from customers.services import create_customer
from developers import request_log
from developers.models import ApiKey, ApiKeySecret, IdempotencyRecord
from developers.services import authenticate, rotate_key
from organizations.invitations import invite_member
from organizations.models import AuditEntry, Invitation, Membership, Organization, Plan, User
from organizations.permissions import Role
from payments.models import Payment, Refund, StripeAccount
from payments.services import set_stripe_account
from rooms.models import Block, Room
from tests.architecture.test_layers import LAYERS
from tests.cast import Player
from tests.security.routes import furnish
from tests.stage import book, make_room, make_venue, slot_at
from webhooks.models import Attempt, Delivery, Endpoint, EndpointSecret, Event, Replay
from webhooks.services import update_endpoint

MODELS = [model for app in LAYERS for model in apps.get_app_config(app).get_models()]
EDITED = (User, Plan, Organization, Membership, StripeAccount)
DOMAIN = [model for model in MODELS if model not in EDITED]
PAID = {"mode": "pos", "amount": 10_000, "reference": "<till 7>"}
WHOLE_TABLES = re.compile(r"\bcount\s*\(|\bselect\s+distinct\b", re.IGNORECASE)


@pytest.fixture
def rows(alice: Player, group_room: Room) -> list[Model]:
    """One row of every model."""
    alice.user.set_password("another long password")
    alice.user.save()
    furnish(alice, group_room, make_room(alice.actor, group_room.venue, name="Spare"))
    cancel_booking(booking=book(alice.actor, group_room, slot_at(20), payment=PAID), by=alice.actor)
    invite_member(email="new@example.com", role=Role.STAFF, by=alice.actor)
    quote_creation(by=alice.actor, room=group_room, starts_at=slot_at(21), party_size=4)
    alice.api.post("/customers", {"name": "Kept Answer"}, idempotency_key="once")
    request_log.redact(organization=alice.organization, mentions=["cus_erased"])
    hour = {"starts_at": slot_at(30), "ends_at": slot_at(31)}
    ImportedTime.objects.create(source=CalendarImport.objects.get(), key="k", content="c", block=Block.objects.get(), **hour)
    delivery = Delivery.objects.earliest("pk")
    update_endpoint(endpoint=delivery.endpoint, by=alice.actor, headers={"x-token": "a header's value"})
    set_stripe_account(by=alice.actor, secret_key="sk_test_alphas", webhook_secret="whsec_alphas")
    Attempt.objects.create(
        delivery=delivery, endpoint=delivery.endpoint, number=1, started_at=timezone.now(), seconds=1, answer="<b>no</b>"
    )
    return [model._default_manager.order_by("pk").first() for model in MODELS]  # type: ignore[misc]


def url(row: Model | type[Model], page: str) -> str:
    args = [] if page in ("changelist", "add") else [row.pk]
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=args)


def act(client: Client, action: str, *rows: Model, confirm: bool = True) -> Any:
    """Run an action of the list page, as its form and then the confirmation's would."""
    data = {"action": action, "_selected_action": [row.pk for row in rows], **({"confirm": "yes"} if confirm else {})}
    return client.post(url(rows[0], "changelist"), data, follow=True)


def told(answer: Any) -> list[tuple[str, str]]:
    return [(message.level_tag, str(message)) for message in answer.context["messages"]]


def everything() -> str:
    return "".join(serializers.serialize("json", model._default_manager.order_by("pk")) for model in DOMAIN)


def test_every_model_is_registered_and_all_of_the_domain_is_read_only() -> None:
    assert [model for model in MODELS if not admin.site.is_registered(model)] == []
    assert [model for model in DOMAIN if not isinstance(admin.site.get_model_admin(model), ReadOnlyAdmin)] == []


def test_every_page_opens_and_shows_no_secret(operator: Client, alice: Player, rows: list[Model]) -> None:
    secrets = [alice.secret, *ApiKeySecret.objects.values_list("digest", flat=True)]
    secrets += Invitation.objects.values_list("digest", flat=True)
    secrets += [value for row in EndpointSecret.objects.all() for value in (row.encrypted, decrypt(row.encrypted))]
    secrets += [CalendarFeed.objects.get().digest, CalendarImport.objects.get().url, "team.ics"]
    secrets += [Endpoint.objects.get().headers, "a header's value", "a header&#x27;s value"]
    account = StripeAccount.objects.get()
    secrets += [account.secret_key, account.webhook_secret, "sk_test_alphas", "whsec_alphas"]
    secrets += [password.split("$")[-1][:6] for password in User.objects.values_list("password", flat=True) if "$" in password]

    for row in rows:
        for page in (url(row, "changelist"), url(row, "changelist") + "?q=alpha", url(row, "change"), url(row, "history")):
            answer = operator.get(page)
            assert answer.status_code == 200, page
            assert [secret for secret in secrets if secret in answer.content.decode()] == [], page
    assert operator.get(reverse("admin:index")).status_code == 200
    kept = bytes(IdempotencyRecord.objects.get().body or b"")
    assert "Kept Answer" in decrypt(kept.decode())
    for text in (b"Kept Answer", kept):
        assert text not in operator.get(url(IdempotencyRecord.objects.get(), "change")).content


@pytest.mark.parametrize(
    "lookup",
    [
        "calendars_calendarfeed digest",
        "calendars_calendarimport url",
        "developers_apikeysecret digest",
        "developers_idempotencyrecord body",
        "developers_requestlogentry content",
        "organizations_user password",
        "organizations_invitation digest",
        "payments_stripeaccount secret_key",
        "payments_stripeaccount webhook_secret",
        "webhooks_endpoint headers",
        "webhooks_endpointsecret encrypted",
        "webhooks_event body",
    ],
)
def test_a_secret_cannot_be_guessed_through_a_filter(operator: Client, lookup: str) -> None:
    model, field = lookup.split()

    answer = operator.get(reverse(f"admin:{model}_changelist"), {f"{field}__startswith": "a"})

    assert answer.status_code == 400


def test_a_letter_that_no_text_has_is_no_crash(operator: Client) -> None:
    of_plans = {"app_label": "organizations", "model_name": "organization", "field_name": "plan"}

    filtered = operator.get(reverse("admin:bookings_booking_changelist"), {"status__exact": "\0"})
    searched = operator.get(reverse("admin:organizations_plan_changelist"), {"q": "\0"})
    completed = operator.get(reverse("admin:autocomplete"), {**of_plans, "term": "\0"})

    assert (filtered.status_code, searched.status_code, completed.status_code) == (400, 200, 200)


def test_domain_rows_are_not_added_changed_or_deleted(operator: Client, rows: list[Model]) -> None:
    before = everything()

    for row in rows:
        if type(row) in DOMAIN:
            for page in ("add", "change", "delete"):
                assert operator.post(url(row, page), {"name": "Other", "post": "yes"}).status_code == 403, (row, page)
            act(operator, "delete_selected", row)
    assert everything() == before


def test_who_is_not_staff_is_sent_to_the_login(alice: Player, rows: list[Model]) -> None:
    for client in (Client(), Client()):
        for row in rows:
            answer = client.get(url(row, "changelist"))
            assert (answer.status_code, answer["Location"].split("?")[0]) == (302, reverse("admin:login"))
        client.force_login(alice.user)


def test_who_may_only_look_runs_no_action(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    viewer = User.objects.create_user("viewer@example.com", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_booking"))
    client = Client()
    client.force_login(viewer)

    assert client.get(url(booking, "change")).status_code == 200
    assert client.get(url(booking.customer, "change")).status_code == 403
    act(client, "cancel", booking)
    booking.refresh_from_db()
    assert booking.status == Booking.Status.CONFIRMED


def test_a_booking_shows_its_money_and_its_history(operator: Client, alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10), payment=PAID)
    cancel_booking(booking=booking, by=alice.actor, reason="<b>ill</b>")

    page = operator.get(url(booking, "change")).content.decode()

    for public_id in (Payment.objects.get().public_id, Refund.objects.get().public_id, alice.actor.id):
        assert public_id in page
    assert "€100" in page
    assert "&lt;b&gt;ill&lt;/b&gt;" in page
    assert "<b>ill" not in page


def test_canceling_asks_first_and_then_refunds(operator: Client, alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10), payment=PAID)

    asked = act(operator, "cancel", booking, confirm=False)
    booking.refresh_from_db()
    assert "policy grants?" in asked.content.decode()
    assert booking.status == Booking.Status.CONFIRMED

    answer = act(operator, "cancel", booking)
    booking.refresh_from_db()
    assert told(answer) == [("success", f"{booking.reference}: Canceled.")]
    assert (booking.status, booking.amount_refunded) == (Booking.Status.CANCELED, 10_000)
    root = User.objects.get(email="root@example.com")
    assert booking.canceled_by == {"type": "system", "id": root.public_id}
    assert LogEntry.objects.get().user == root
    assert BookingHistory.objects.latest("pk").actor_id == root.public_id


def test_a_refusal_becomes_a_message_and_stops_nothing_else(operator: Client, alice: Player, group_room: Room) -> None:
    """The second booking has not begun, so that nobody can have failed to come."""
    ids = furnish(alice, group_room, make_room(alice.actor, group_room.venue, name="Spare"))
    begun, coming = (Booking.objects.get(public_id=ids[name]) for name in ("begun", "booking"))

    answer = act(operator, "mark_no_show", coming, begun)
    again = act(operator, "cancel", begun)

    assert sorted(told(answer)) == [
        ("error", f"{coming.reference}: The game has not begun yet."),
        ("success", f"{begun.reference}: Marked as no-show."),
    ]
    assert told(again) == [("error", f"{begun.reference}: A booking that is no_show cannot be canceled.")]
    soon = timezone.now() + dt.timedelta(hours=1)
    Booking.objects.filter(pk=coming.pk).update(starts_at=soon, ends_at=soon + dt.timedelta(hours=1))
    assert told(act(operator, "check_in", coming, confirm=False)) == [("success", f"{coming.reference}: Checked in.")]
    assert Booking.objects.get(pk=coming.pk).status == Booking.Status.CHECKED_IN


def _erased(row: Any) -> bool:
    return row.erased_at is not None and row.name == ""


def _archived(row: Any) -> bool:
    return bool(row.status == Room.Status.ARCHIVED)


def _revoked(row: Any) -> bool:
    return not row.secrets.live().exists()


@pytest.mark.parametrize(
    ("model", "action", "is_done"), [(Customer, "erase", _erased), (ApiKey, "revoke", _revoked), (Room, "archive", _archived)]
)
def test_erasing_revoking_and_archiving_ask_first(
    operator: Client, alice: Player, group_room: Room, model: type[Model], action: str, is_done: Callable[[Any], bool]
) -> None:
    create_customer(by=alice.actor, name="Ada Secret")
    row = model._default_manager.get()

    act(operator, action, row, confirm=False)
    assert not is_done(model._default_manager.get())
    answer = act(operator, action, row)

    assert [level for level, _ in told(answer)] == ["success"]
    assert is_done(model._default_manager.get())
    assert "Secret" not in LogEntry.objects.get().object_repr
    if action == "revoke":
        assert alice.api.get("/me").status_code == 401


def test_one_secret_of_a_key_is_revoked_and_the_other_still_works(operator: Client, alice: Player) -> None:
    old = ApiKeySecret.objects.get()
    new = rotate_key(by=alice.actor, key=old.key)

    act(operator, "revoke", old, confirm=False)
    assert ApiKeySecret.objects.live().count() == 2
    answer = act(operator, "revoke", old)

    assert told(answer) == [("success", f"{old}: Revoked.")]
    assert alice.api.get("/me").status_code == 401
    assert authenticate(new).key == old.key
    line = AuditEntry.objects.get(action="api_key.revoked")
    assert (line.subject, line.details) == (old.key.public_id, {"secrets": 1, "prefix": old.prefix})
    assert (line.actor_type, line.actor_id) == ("system", User.objects.get(email="root@example.com").public_id)


def test_a_delivery_shows_its_attempts_and_is_sent_again_after_a_question(operator: Client, rows: list[Model]) -> None:
    delivery = Attempt.objects.get().delivery
    page = operator.get(url(delivery, "change")).content.decode()
    assert "&lt;b&gt;no&lt;/b&gt;" in page
    assert "<b>no" not in page

    act(operator, "resend", delivery, confirm=False)
    assert not Delivery.objects.filter(replay_of=delivery).exists()
    answer = act(operator, "resend", delivery)

    assert told(answer) == [("success", f"{delivery.public_id}: Sent again.")]
    assert Delivery.objects.get(replay_of=delivery).state == Delivery.State.PENDING


def test_an_endpoint_is_paused_enabled_and_sent_the_last_day_again(operator: Client, rows: list[Model]) -> None:
    endpoint = Endpoint.objects.get()
    before = Replay.objects.count()

    for action, status in [("pause", "paused"), ("enable", "active")]:
        act(operator, action, endpoint, confirm=False)
        assert Endpoint.objects.get().status != status
        assert told(act(operator, action, endpoint)) == [("success", f"{endpoint.url}: {action.title()}d.")]
        assert Endpoint.objects.get().status == status
    act(operator, "replay", endpoint, confirm=False)
    assert Replay.objects.count() == before
    assert told(act(operator, "replay", endpoint)) == [("success", f"{endpoint.url}: Replay started.")]

    replay = Replay.objects.latest("pk")
    assert round((replay.until - replay.since).total_seconds()) == 24 * 3600
    act(operator, "cancel", replay)
    assert Replay.objects.latest("pk").state == Replay.State.CANCELED


def test_what_cannot_be_sent_again_is_told_as_a_message(operator: Client, rows: list[Model]) -> None:
    endpoint, delivery = Endpoint.objects.get(), Delivery.objects.earliest("pk")
    act(operator, "pause", endpoint)

    assert told(act(operator, "resend", delivery)) == [("error", f"{delivery.public_id}: Enable it first.")]
    assert told(act(operator, "replay", endpoint)) == [("error", f"{endpoint.url}: Enable it first.")]


def test_an_upcoming_booking_keeps_its_customer_and_its_room(operator: Client, alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))

    assert told(act(operator, "erase", booking.customer)) == [("error", "Ada: Cancel them first.")]
    assert told(act(operator, "archive", group_room)) == [("error", "Vault: Move or cancel them first.")]


def test_no_page_asks_more_often_for_many_rows_or_counts_them(
    operator: Client, alice: Player, charlie: Player, group_room: Room, rows: list[Model]
) -> None:
    """Every list, a search in it, and every row's page. A count would take the longer the more there is, and so would the choices
    of a filter by what occurs.
    """

    def asked() -> dict[str, int]:
        counts = {}
        for row in rows:
            pages = {"list": url(row, "changelist"), "page": url(row, "change")}
            if isinstance(admin.site.get_model_admin(type(row)), BigTableAdmin):
                pages["search"] = url(row, "changelist") + "?q=alpha"
            for name, path in pages.items():
                with CaptureQueriesContext(connection) as captured:
                    assert operator.get(path).status_code == 200
                counts[f"{name} of {type(row).__name__}"] = len(captured)
                assert [query["sql"] for query in captured if WHOLE_TABLES.search(query["sql"])] == [], path
        return counts

    few = asked()
    _many_of_everything(alice, charlie, group_room)
    for row in (row for row in rows if isinstance(row, (Booking, Delivery))):  # whose pages show other rows
        _more_on_its_page(row)

    assert min(Booking.objects.count(), Payment.objects.count(), Event.objects.count()) > 200
    many = asked()
    assert {page: count for page, count in many.items() if count > few[page]} == {}  # fewer: a process asks for some things once


def _many_of_everything(alice: Player, charlie: Player, group_room: Room) -> None:
    for day in range(40, 57):
        contact = {"name": f"Guest {day}", "email": f"guest{day}@example.com"}
        book(alice.actor, group_room, slot_at(day, 14), customer=contact, payment=PAID)
        quote_creation(by=alice.actor, room=group_room, starts_at=slot_at(day, 16), party_size=4)
    cancel_booking(booking=Booking.objects.latest("pk"), by=alice.actor)
    room = make_room(charlie.actor, make_venue(charlie.actor))
    furnish(charlie, room, make_room(charlie.actor, room.venue, name="Spare"))
    for model, emptied, numbered in (
        (Booking, {"claim_id": None, "external_id": None}, "reference"),
        (Payment, {}, "intent"),
        (Event, {"sequence": None}, "object_id"),
        (Customer, {"email": None}, "phone"),
    ):
        _copy(model, emptied, numbered)


def _copy(model: Any, emptied: dict[str, Any], numbered: str) -> None:
    """Two hundred times the newest row."""
    last = model.objects.latest("pk")
    kept = [field.attname for field in model._meta.concrete_fields if field.name not in ("id", "public_id", numbered)]
    values = {**{name: getattr(last, name) for name in kept}, **emptied}
    model.objects.bulk_create(model(**values, **{numbered: f"Z{number:07}"}) for number in range(200))


def _more_on_its_page(row: Booking | Delivery) -> None:
    if isinstance(row, Booking):
        line = {"organization_id": row.organization_id, "actor_type": "system", "actor_id": "system", "action": "changed"}
        BookingHistory.objects.bulk_create(BookingHistory(booking=row, **line) for _ in range(30))
    else:
        Attempt.objects.bulk_create(
            Attempt(delivery=row, endpoint_id=row.endpoint_id, number=number, started_at=timezone.now(), seconds=1)
            for number in range(2, 14)
        )


@pytest.mark.parametrize(
    ("model", "typed"),
    [
        (Booking, lambda booking: booking.reference.lower()),
        (Booking, lambda booking: booking.public_id),
        (Booking, lambda booking: "ADA@example.com"),
        (Booking, lambda booking: "alpha"),
        (Customer, lambda booking: "Ada@Example.com"),
        (BookingHistory, lambda booking: booking.reference),
        (Payment, lambda booking: f" {booking.public_id} "),
    ],
)
def test_a_big_table_is_searched_for_exactly_what_was_typed(
    operator: Client, alice: Player, charlie: Player, group_room: Room, model: type[Model], typed: Callable[[Booking], str]
) -> None:
    booking = book(alice.actor, group_room, slot_at(10), payment=PAID, customer={"name": "Ada", "email": "ada@example.com"})
    other = make_room(charlie.actor, make_venue(charlie.actor))
    book(charlie.actor, other, slot_at(10), payment=PAID, customer={"name": "Bea", "email": "bea@example.com"})

    def found(text: str) -> list[Model]:
        answer = operator.get(url(model, "changelist"), {"q": text})
        return list(answer.context["cl"].result_list)

    assert found(typed(booking)) == list(model._default_manager.filter(organization=alice.organization).order_by("-pk"))
    assert found(typed(booking).strip()[:-1]) == []


def test_a_list_goes_no_further_back_than_it_says(
    operator: Client, alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.admin.LOOKED_AT", 2)
    first, second, third = (book(alice.actor, group_room, slot_at(day)) for day in (10, 11, 12))

    def listed(query: str = "") -> list[Model]:
        return list(operator.get(url(Booking, "changelist") + query).context["cl"].result_list)

    assert listed() == [third, second]
    assert listed("?status__exact=confirmed") == [third, second]
    assert listed(f"?q={first.reference}") == [first]


def test_memberships_and_organizations_are_edited_with_an_audit_line(operator: Client, alice: Player) -> None:
    person = User.objects.create_user("new@example.com")
    free = Plan.objects.exclude(pk=alice.organization.plan_id).first()
    assert free is not None

    added = operator.post(url(Membership, "add"), {"user": person.pk, "organization": alice.organization.pk, "role": Role.STAFF})
    membership = Membership.objects.get(user=person)
    changed = operator.post(url(membership, "change"), {"role": Role.MANAGER})
    assert (added.status_code, changed.status_code) == (302, 302)
    membership.refresh_from_db()
    assert membership.role == Role.MANAGER
    operator.post(url(membership, "delete"), {"post": "yes"})
    assert not Membership.objects.filter(user=person).exists()

    data = {"name": "Alpha", "slug": "alpha", "plan": free.pk, "public_id": "org_other"}
    assert operator.post(url(alice.organization, "change"), data).status_code == 302
    after = Organization.objects.get(pk=alice.organization.pk)
    assert (after.plan, after.public_id) == (free, alice.organization.public_id)
    assert operator.post(url(after, "delete"), {"post": "yes"}).status_code == 403
    lines = AuditEntry.objects.filter(organization=after).values_list("action", flat=True)
    assert list(lines[:4]) == ["organization.changed", "member.removed", "member.added", "member.added"]


def test_people_are_added_by_their_address_and_get_passwords(operator: Client, plans: None) -> None:
    words = {"password1": "correct horse battery", "password2": "correct horse battery"}
    answer = operator.post(url(User, "add"), {"email": "New@Example.com", "name": "New", "usable_password": "true", **words})
    person = User.objects.get(email="new@example.com")
    assert answer.status_code == 302
    assert person.check_password("correct horse battery")

    changed = operator.post(url(person, "change"), {"email": "NEW@example.com", "name": "Newer", "is_active": "on"})
    person.refresh_from_db()
    assert (changed.status_code, person.name, person.email) == (302, "Newer", "new@example.com")
    assert person.check_password("correct horse battery")

    password = reverse("admin:auth_user_password_change", args=[person.pk])
    others = {"password1": "quite another horse", "password2": "quite another horse"}
    assert operator.get(password).status_code == 200
    assert operator.post(password, others).status_code == 302
    assert User.objects.get(pk=person.pk).check_password("quite another horse")
    assert operator.post(url(person, "delete"), {"post": "yes"}).status_code == 403


def test_an_operator_cannot_become_a_superuser(operator: Client, plans: None) -> None:
    superuser = User.objects.get()
    clerk = User.objects.create_user("clerk@example.com", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="organizations"))
    client = Client()
    client.force_login(clerk)

    data = {"email": clerk.email, "name": "Clerk", "is_active": "on", "is_superuser": "on"}
    assert client.post(url(clerk, "change"), data).status_code == 302
    clerk.refresh_from_db()
    assert (clerk.name, clerk.is_superuser, clerk.is_staff) == ("Clerk", False, True)
    words = {"password1": "correct horse battery", "password2": "correct horse battery"}
    for page in (url(superuser, "change"), reverse("admin:auth_user_password_change", args=[superuser.pk])):
        assert client.post(page, {**data, **words}).status_code == 403
    assert User.objects.get(pk=superuser.pk).check_password("a long password")

"""Settings → Members, and where an invitation's link leads."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from dashboard.tests.pages import queries, sign_in
from organizations.invitations import accept_invitation, invite_member
from organizations.mail import mail_invitation
from organizations.models import Invitation, Membership, User
from organizations.permissions import Role
from tests.cast import Player

MEMBERS = "/dashboard/settings/members"
PASSWORD = "correct horse battery"


def invite(client: Client, email: str = "new@example.com", role: str = "staff") -> Any:
    return client.post(f"{MEMBERS}/invite", {"email": email, "role": role}, follow=True)


def link() -> str:
    """Of the newest letter, as a path."""
    return re.findall(r"https?://[^/\s]+(/\S+)", str(mail.outbox[-1].body))[0]


def html() -> str:
    letter: Any = mail.outbox[-1]
    return str(letter.alternatives[0][0])


def told(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_an_owner_invites_and_the_letter_goes_out(alice: Player) -> None:
    answer = invite(sign_in(alice))

    letter = mail.outbox[0]
    assert told(answer) == ["An invitation is on its way to new@example.com."]
    assert (letter.to, letter.subject) == (["new@example.com"], "Join Alpha on BookingFlow")
    assert "Alice invites you to Alpha on BookingFlow, as: Staff" in letter.body
    assert link() in html()
    assert "new@example.com" in answer.content.decode()


def test_bad_input_is_named_and_kept(alice: Player, bob: Player) -> None:
    client = sign_in(alice)

    for email, why in (("nobody", "valid email"), ("bob@example.com", "a member already")):
        answer = invite(client, email)
        assert answer.status_code == 422
        assert why in answer.content.decode()
        assert f'value="{email}"' in answer.content.decode()
    assert invite(client, role="boss").status_code == 422
    assert not mail.outbox


def test_markup_in_names_is_text(alice: Player) -> None:
    alice.user.name, alice.organization.name = "<b>Al</b>", "<i>A</i>"
    alice.user.save()
    alice.organization.save()
    client = sign_in(alice)
    invite(client)

    for text in (client.get(MEMBERS).content.decode(), Client().get(link()).content.decode(), html()):
        assert "&lt;b&gt;Al&lt;/b&gt;" in text
        assert "<b>Al" not in text
        assert "<i>A" not in text


def test_a_letter_that_cannot_be_sent_is_told_about(alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("dashboard.views.members.mail_invitation", away)

    assert "could not be sent" in told(invite(sign_in(alice)))[0]
    assert Invitation.objects.count() == 1


def test_a_role_is_changed_and_holds_from_the_next_request_on(alice: Player, bob: Player) -> None:
    reader = sign_in(bob)
    assert reader.get(MEMBERS).status_code == 403

    answer = sign_in(alice).post(f"{MEMBERS}/{bob.user.public_id}", {"role": "manager"}, follow=True)

    assert told(answer) == ["Bob is now: Manager."]
    assert reader.get(MEMBERS).status_code == 200


def test_who_is_removed_is_out_at_once(alice: Player, bob: Player) -> None:
    reader = sign_in(bob)
    assert reader.get("/dashboard").status_code == 200
    page = sign_in(alice).get(f"{MEMBERS}/{bob.user.public_id}/remove").content.decode()
    assert "loses access to Alpha at once" in page

    sign_in(alice).post(f"{MEMBERS}/{bob.user.public_id}/remove")

    assert reader.get("/dashboard")["Location"] == "/dashboard/organizations/new"


def test_the_last_owner_stays(alice: Player) -> None:
    client = sign_in(alice)
    own = f"{MEMBERS}/{alice.user.public_id}"

    assert "needs an owner" in client.post(own, {"role": "staff"}).content.decode()
    assert "needs an owner" in client.post(f"{own}/remove").content.decode()
    assert alice.organization.memberships.count() == 1


def test_a_manager_is_offered_nothing_about_owners(alice: Player, bob: Player) -> None:
    Membership.objects.filter(user=bob.user).update(role=Role.MANAGER)
    client = sign_in(bob)

    assert f"{MEMBERS}/{alice.user.public_id}" not in client.get(MEMBERS).content.decode()
    assert client.get(f"{MEMBERS}/{alice.user.public_id}").status_code == 403
    assert 'value="owner"' not in client.get(f"{MEMBERS}/invite").content.decode()
    assert invite(client, role="owner").status_code == 422


def test_changes_ask_for_the_password_when_one_signed_in_long_ago(alice: Player) -> None:
    alice.user.set_password(PASSWORD)
    alice.user.save()
    client = sign_in(alice, recently=False)
    assert client.get(MEMBERS).status_code == 200

    asked = client.post(f"{MEMBERS}/invite", {"email": "new@example.com", "role": "staff"})

    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert not mail.outbox
    done = client.post(asked["Location"], {"password": PASSWORD})  # and what was asked for is done
    assert (done.status_code, done["Location"]) == (302, MEMBERS)
    assert len(mail.outbox) == 1


def test_an_invitation_is_sent_again_and_withdrawn(alice: Player) -> None:
    client = sign_in(alice)
    invite(client)
    first = link()
    path = f"{MEMBERS}/invitations/{Invitation.objects.get().public_id}"
    assert told(client.post(f"{path}/resend", follow=True)) == ["It was sent a moment ago. Wait a minute."]
    invitation = Invitation.objects.get()
    Invitation.objects.update(sent_at=invitation.created_at.replace(year=2025))

    client.post(f"{path}/resend")
    assert Client().get(first).status_code == 404
    assert Client().get(link()).status_code == 200
    client.post(f"{path}/revoke")

    answer = Client().get(link())
    assert (answer.status_code, "withdrawn" in answer.content.decode()) == (409, True)
    assert client.get(f"{path}/revoke").status_code == 404


@pytest.mark.parametrize("page", ["", "/invite"])
def test_queries_do_not_grow_with_the_rows(alice: Player, page: str) -> None:
    for number in range(5):
        user = User.objects.create_user(f"m{number}@example.com")
        Membership.objects.create(organization=alice.organization, user=user, role=Role.STAFF)
        invite_member(email=f"i{number}@example.com", role=Role.STAFF, by=alice.actor)
    client = sign_in(alice)

    with queries():
        client.get(MEMBERS + page)


def test_a_newcomer_signs_up_through_the_link_and_is_in(alice: Player) -> None:
    invite(sign_in(alice))
    client = Client()
    page = client.get(link())
    assert "/accounts/signup/?invitation=" in page.content.decode()

    form = client.get(page.context["sign_up"]).content.decode()
    assert 'value="new@example.com"' in form
    assert 'name="organization"' not in form
    token = link().rsplit("/", 1)[1]
    data = {"name": "New", "email": "elsewhere@example.com", "password1": PASSWORD, "invitation": token}
    answer = client.post("/accounts/signup/", data)

    assert (answer.status_code, answer["Location"]) == (302, "/dashboard")
    user = User.objects.get(email="new@example.com")
    assert EmailAddress.objects.get(user=user).verified
    assert Membership.objects.get(user=user).role == Role.STAFF
    assert client.get("/dashboard").status_code == 200


def test_a_link_that_has_died_meanwhile_makes_no_account(alice: Player) -> None:
    invite(sign_in(alice))
    token = link().rsplit("/", 1)[1]
    accept_invitation(token=token, user=User.objects.create_user("new@example.com"))

    answer = Client().post(
        "/accounts/signup/", {"name": "N", "email": "x@example.com", "password1": PASSWORD, "invitation": token}
    )

    assert "no longer valid" in answer.content.decode()
    assert not User.objects.filter(email="x@example.com").exists()


def test_who_has_an_account_signs_in_and_joins(alice: Player, charlie: Player) -> None:
    charlie.user.set_password(PASSWORD)
    charlie.user.save()
    EmailAddress.objects.create(user=charlie.user, email=charlie.user.email, verified=True, primary=True)
    invite(sign_in(alice), charlie.user.email)
    client = Client()
    page = client.get(link())

    answer = client.post(page.context["sign_in"], {"login": charlie.user.email, "password": PASSWORD})

    assert answer["Location"] == link()
    assert "Join" in client.get(link()).content.decode()
    assert Membership.objects.filter(user=charlie.user).count() == 1  # looking changes nothing
    answer = client.post(link(), follow=True)
    assert told(answer) == ["Welcome to Alpha."]
    assert Membership.objects.filter(user=charlie.user).count() == 2


def test_who_is_signed_in_as_somebody_else_is_told(alice: Player, charlie: Player) -> None:
    invite(sign_in(alice))
    client = sign_in(charlie)

    page = client.get(link()).content.decode()

    assert "you are signed in as charlie@example.com" in page
    assert client.post(link()).status_code == 403
    assert Membership.objects.filter(user=charlie.user).count() == 1


def test_the_letter_says_until_when(alice: Player) -> None:
    invitation, _ = invite_member(email="new@example.com", role=Role.OWNER, by=alice.actor)

    mail_invitation(invitation, url="https://b.example/x")

    assert f"{invitation.expires_at:%B %Y}" in mail.outbox[0].body

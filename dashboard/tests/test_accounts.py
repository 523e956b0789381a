"""Signing up and in, a second factor, sessions; and what is told to those who try addresses and passwords out."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.test import Client
from django.utils.html import escape

from dashboard.tests.pages import sign_in
from organizations.models import Membership, Organization, User
from organizations.permissions import Role
from rooms.models import Venue
from tests.cast import Player
from tests.crowd import at_once

PASSWORD, OTHER_PASSWORD = "correct horse battery", "staple battery horse"
ADA = {
    "name": "Ada",
    "email": "Ada@Example.com",
    "password1": PASSWORD,
    "organization": "Analytical Engines",
    "timezone": "America/New_York",
}
HOME, LOGIN = "/dashboard", "/accounts/login/"


def link(number: int = -1) -> str:
    return re.findall(r"https?://[^/\s]+(/accounts/\S+)", str(mail.outbox[number].body))[0]


def log_in(client: Client, email: str, password: str = PASSWORD, next: str = "") -> Any:
    return client.post(LOGIN, {"login": email, "password": password, "next": next})


@pytest.fixture
def ada(plans: None) -> User:
    """Somebody who has signed up and confirmed the address, with an organization."""
    user = User.objects.create_user("ada@example.com", PASSWORD, name="Ada")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def code_of(secret: str) -> str:
    """What the app shows."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def protect(client: Client) -> str:
    """Set the second factor up, as the page leads; answers the app's key."""
    page = client.get("/accounts/2fa/totp/activate/")
    secret: str = page.context["form"].secret
    assert secret in page.content.decode()
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert answer["Location"] == "/accounts/2fa/recovery-codes/"
    return secret


def test_from_sign_up_to_the_dashboard(plans: None) -> None:
    client = Client()
    assert 'name="organization"' in client.get("/accounts/signup/").content.decode()

    sent = client.post("/accounts/signup/", ADA, follow=True)
    assert "Check your mailbox" in sent.content.decode()
    assert "/mail" in sent.content.decode()  # where letters are files
    assert client.get(HOME)["Location"].startswith(LOGIN)
    page = client.get(link())
    assert "Is <strong>ada@example.com</strong> yours?" in page.content.decode()
    answer = client.post(link())

    assert (answer.status_code, answer["Location"]) == (302, HOME)
    assert client.get(HOME).status_code == 200
    organization = Organization.objects.get()
    member = Membership.objects.get(organization=organization)
    assert (organization.name, member.user.name, member.role) == ("Analytical Engines", "Ada", Role.OWNER)
    venue = Venue.objects.get(organization=organization)
    assert (venue.timezone, venue.currency, venue.is_default) == ("America/New_York", "USD", True)
    assert client.get("/dashboard/settings/members/invite").status_code == 200  # the password is not asked for again


def test_a_confirmation_elsewhere_leads_to_the_sign_in(plans: None) -> None:
    Client().post("/accounts/signup/", ADA)

    answer = Client().post(link())

    assert answer["Location"] == LOGIN
    assert log_in(Client(), "ada@example.com").url == HOME


def test_another_organization_is_one_form_away(ada: User) -> None:
    client = Client()
    log_in(client, ada.email)
    new = client.get(HOME)["Location"]

    assert client.post(new, {"name": "Difference Engines", "timezone": ""}).status_code == 422
    answer = client.post(new, {"name": "Difference Engines", "timezone": "Asia/Kathmandu"})

    assert answer["Location"] == HOME
    assert "Difference Engines" in client.get(HOME).content.decode()
    venue = Venue.objects.get()
    assert (venue.timezone, venue.currency) == ("Asia/Kathmandu", "EUR")  # a guess where nothing better is known


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("email", "ada"),
        ("password1", "short"),
        ("password1", "password123"),
        ("organization", ""),
        ("timezone", "Mars/Olympus"),
    ],
)
def test_what_sign_up_refuses(plans: None, field: str, value: str) -> None:
    answer = Client().post("/accounts/signup/", {**ADA, field: value})

    assert list(answer.context["form"].errors) == [field]
    assert escape("Analytical Engines") in answer.content.decode() or field == "organization"
    assert not User.objects.exists()


def test_signing_up_with_a_known_address_looks_the_same_and_makes_nothing(ada: User) -> None:
    known = Client().post("/accounts/signup/", ADA, follow=True)
    letter = mail.outbox[-1]
    new = Client().post("/accounts/signup/", {**ADA, "email": "new@example.com"}, follow=True)

    assert known.redirect_chain == new.redirect_chain
    assert letter.subject == "You have an account already"
    assert User.objects.filter(email="ada@example.com").get() == ada
    assert Organization.objects.count() == 1


def test_asking_for_a_new_password_tells_nothing_about_who_has_an_account(ada: User) -> None:
    answers = [
        Client().post("/accounts/password/reset/", {"email": email}, follow=True)
        for email in ("ada@example.com", "nobody@example.com")
    ]

    assert answers[0].redirect_chain == answers[1].redirect_chain
    assert [letter.subject for letter in mail.outbox] == ["Set a new password", "No account with this address"]


def test_a_wrong_password_and_an_unknown_address_are_told_alike(ada: User) -> None:
    answers = [log_in(Client(), email, "wrong password!") for email in ("ada@example.com", "nobody@example.com")]

    told = [list(answer.context["form"].non_field_errors()) for answer in answers]
    assert told == [["The e-mail address or the password is not right."]] * 2


def test_a_forgotten_password_is_set_anew_and_ends_every_session(ada: User) -> None:
    elsewhere, client = Client(), Client()
    log_in(elsewhere, ada.email)
    client.post("/accounts/password/reset/", {"email": ada.email})
    form = client.get(link(), follow=True)

    done = client.post(form.redirect_chain[-1][0], {"password1": OTHER_PASSWORD, "password2": OTHER_PASSWORD}, follow=True)

    assert "Your password is set" in done.content.decode()
    assert elsewhere.get("/accounts/email/")["Location"].startswith(LOGIN)
    assert log_in(Client(), ada.email).status_code == 200
    assert log_in(Client(), ada.email, OTHER_PASSWORD).url == HOME
    assert "has been used" in Client().get(link(0), follow=True).content.decode()
    assert mail.outbox[-1].subject == "Your password has been reset"


def test_who_was_made_by_an_operator_confirms_the_address_first(plans: None) -> None:
    User.objects.create_superuser("root@example.com", PASSWORD)
    client = Client()

    assert log_in(client, "root@example.com", next="/admin/").url == "/accounts/confirm-email/"
    assert client.post(link())["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_the_second_factor_is_asked_for_with_a_code_of_the_app(ada: User) -> None:
    client = Client()
    log_in(client, ada.email)
    secret = protect(client)
    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))
    fresh = Client()

    assert log_in(fresh, ada.email, next="/accounts/email/").url == "/accounts/2fa/authenticate/"
    assert fresh.get("/accounts/email/")["Location"].startswith(LOGIN)
    assert "Incorrect code" in fresh.post("/accounts/2fa/authenticate/", {"code": "000000"}).content.decode()
    code = code_of(secret)
    answer = fresh.post("/accounts/2fa/authenticate/", {"code": code})

    assert answer["Location"] == "/accounts/email/"
    assert fresh.get("/accounts/email/").status_code == 200
    log_in(again := Client(), ada.email)  # with the code that somebody has seen over a shoulder
    assert "Incorrect code" in again.post("/accounts/2fa/authenticate/", {"code": code}).content.decode()


def test_a_recovery_code_lets_one_in_once(ada: User) -> None:
    client = Client()
    log_in(client, ada.email)
    protect(client)
    codes = RecoveryCodes(Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES)).get_unused_codes()
    assert codes[0] in client.get("/accounts/2fa/recovery-codes/").content.decode()

    for expected in (302, 200):
        fresh = Client()
        log_in(fresh, ada.email)
        assert fresh.post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == expected


def test_the_admin_has_no_way_around_the_second_factor(ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_staff=True, is_superuser=True)
    client = Client()
    log_in(client, ada.email)
    assert client.get("/admin/").status_code == 200
    protect(client)

    fresh = Client()
    asked = fresh.post("/admin/login/?next=/admin/", {"username": ada.email, "password": PASSWORD})

    assert asked["Location"] == "/accounts/login/?next=%2Fadmin%2F"
    assert log_in(fresh, ada.email, next="/admin/").url == "/accounts/2fa/authenticate/"
    assert fresh.get("/admin/").status_code == 302


def test_who_is_no_operator_is_refused_by_the_admin(alice: Player) -> None:
    client = sign_in(alice)

    assert client.get("/admin/", follow=True).status_code == 403


def test_a_session_elsewhere_is_listed_and_ended(ada: User) -> None:
    elsewhere = Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"})
    client = Client()
    log_in(elsewhere, ada.email)
    log_in(client, ada.email)
    assert "Firefox on Linux" in client.get("/accounts/sessions/").content.decode()

    client.post("/accounts/sessions/")

    assert elsewhere.get("/accounts/email/")["Location"].startswith(LOGIN)
    assert client.get("/accounts/email/").status_code == 200


def test_passwords_cannot_be_tried_out_without_end(ada: User) -> None:
    for _ in range(5):
        log_in(Client(), ada.email, "wrong password!")

    answer = log_in(Client(), ada.email)  # the right one

    assert "Too many attempts" in answer.content.decode()
    assert "Too many" not in log_in(Client(), "other@example.com").content.decode()


def test_one_address_cannot_ask_without_end(plans: None) -> None:
    answers = [Client().post("/accounts/password/reset/", {"email": f"a{number}@example.com"}) for number in range(21)]

    assert [answer.status_code for answer in answers] == [302] * 20 + [429]
    assert "Too many attempts" in answers[-1].content.decode()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_no_other_site_is_led_to(ada: User, target: str) -> None:
    assert log_in(Client(), ada.email, next=target).url == HOME
    signed_in = Client()
    log_in(signed_in, ada.email)
    assert signed_in.get(LOGIN, {"next": target})["Location"] == HOME


def test_signing_out_takes_a_post(ada: User) -> None:
    client = Client()
    log_in(client, ada.email)

    assert client.get("/accounts/logout/").status_code == 200
    assert client.get("/accounts/email/").status_code == 200
    assert client.post("/accounts/logout/")["Location"] == "/"
    assert client.get("/accounts/email/")["Location"].startswith(LOGIN)


def test_the_address_changes_when_the_new_one_is_confirmed(ada: User) -> None:
    client = Client()
    log_in(client, ada.email)

    client.post("/accounts/email/", {"email": "lovelace@example.com", "action_add": ""})
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"
    assert "lovelace@example.com" in client.get("/accounts/email/").content.decode()
    client.post(link())

    ada.refresh_from_db()
    assert ada.email == "lovelace@example.com"
    assert [letter.to for letter in mail.outbox][-1] == ["ada@example.com"]
    assert log_in(Client(), "lovelace@example.com").url == HOME
    assert log_in(Client(), "ada@example.com").status_code == 200


def test_letters_come_as_text_and_as_html_from_us(plans: None) -> None:
    Client().post("/accounts/signup/", {**ADA, "name": "<b>"})

    letter: Any = mail.outbox[0]
    html, kind = letter.alternatives[0]
    assert (letter.subject, kind) == ("Confirm your e-mail address", "text/html")
    assert letter.from_email.startswith("BookingFlow <")
    assert f'href="http://testserver{link()}"' in html


def test_a_mail_server_that_is_away_undoes_no_sign_up(plans: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", away)

    answer = Client().post("/accounts/signup/", ADA, follow=True)

    assert [str(message) for message in answer.context["messages"]] == [
        "We could not send the letter just now. Try again in a few minutes."
    ]
    assert User.objects.filter(email="ada@example.com").exists()


def test_every_account_page_opens(ada: User) -> None:
    client = Client()
    for page in ("login/", "signup/", "password/reset/", "password/reset/done/", "confirm-email/", "inactive/"):
        assert client.get(f"/accounts/{page}").status_code == 200, page
    log_in(client, ada.email)
    pages = ["email/", "password/change/", "2fa/", "sessions/", "logout/", "reauthenticate/", "2fa/totp/activate/"]
    for page in pages:
        answer = client.get(f"/accounts/{page}")
        assert (answer.status_code, answer.content.decode().count("<h1")) == (200, 1), page
    protect(client)
    for page in ("2fa/", "2fa/reauthenticate/", "2fa/totp/deactivate/", "2fa/recovery-codes/", "2fa/recovery-codes/generate/"):
        assert client.get(f"/accounts/{page}").status_code == 200, page


@pytest.mark.django_db(transaction=True)
def test_of_many_sign_ups_with_one_address_one_is_made(plans: None) -> None:
    answers = at_once([lambda: Client().post("/accounts/signup/", ADA)] * 4)

    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, "/accounts/confirm-email/")}
    assert User.objects.count() == Organization.objects.count() == 1


def test_mail_is_shown_where_it_becomes_files(settings: Any, tmp_path: Path, ada: User) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "django.core.mail.backends.filebased.EmailBackend", str(tmp_path)
    settings.MAILBOX = True
    assert "No letters yet" in Client().get("/mail").content.decode()
    Client().post("/accounts/password/reset/", {"email": ada.email})
    Client().post("/accounts/password/reset/", {"email": "<b>@example.com"})

    page = Client().get("/mail").content.decode()

    assert "Set a new password" in page
    assert re.search(r'<a href="http://testserver/accounts/password/reset/key/[^"]+"', page)


def test_mail_is_shown_nowhere_else(settings: Any) -> None:
    settings.MAILBOX = False

    assert Client().get("/mail").status_code == 404

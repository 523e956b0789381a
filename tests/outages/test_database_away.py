"""PostgreSQL stops, stays away and comes back under running requests: they are told to come again, never that we are broken, and
the first request after it is answered as if nothing had happened.
"""

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import requests

from tests.outages.world import World, begin
from tests.server import open_folder

THREADS = 4  # as many as the web server has: each with a connection of its own
AWAY_SECONDS = 1.0
OK = {200, 201}
_SIGN_IN = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from organizations.actor import Actor
from organizations.models import Organization, User
from organizations.permissions import Role
from organizations.services import add_member
organization = Organization.objects.get()
user = User.objects.create_user("ada@example.com", name="Ada")
add_member(organization=organization, user=user, role=Role.OWNER, by=Actor.system(organization))
session = SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
session.save()
print(session.session_key)
"""


@dataclass
class Crowd:
    """Reads, writes and opens pages until it is told to stop."""

    world: World
    cookie: str
    answers: list[tuple[str, requests.Response]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def ask(self, kind: str) -> requests.Response:
        key = {"Authorization": f"Bearer {self.world.secret}"}
        number = next(self.numbers)
        if kind == "read":
            answer = requests.get(f"{self.world.base}/rooms", headers=key, timeout=20)
        elif kind == "write":
            key["Idempotency-Key"] = f"guest-{number}"
            answer = requests.post(f"{self.world.base}/customers", json={"name": f"Guest {number}"}, headers=key, timeout=20)
        else:
            url = self.world.base.replace("/api/v1/public", "/dashboard")
            answer = requests.get(url, headers={"Accept": "text/html", "Cookie": f"sessionid={self.cookie}"}, timeout=20)
        self.answers.append((kind, answer))
        return answer

    def go_on(self) -> None:
        for kind in itertools.cycle(KINDS):
            if self.over.is_set():
                return
            self.ask(kind)

    def wait_for(self, statuses: set[int]) -> None:
        """Until each kind has been answered so, anew."""
        since, give_up_at = len(self.answers), time.monotonic() + 60
        while {kind for kind, answer in self.answers[since:] if answer.status_code in statuses} != set(KINDS):
            assert time.monotonic() < give_up_at, self.world.logs()
            time.sleep(0.05)


KINDS = ("read", "write", "page")
TYPES = {"read": "application/problem+json", "write": "application/problem+json", "page": "text/html"}


@pytest.fixture(scope="module")
def world(django_db_setup: None) -> Iterator[World]:
    with open_folder() as folder, begin(folder) as found:
        found.manage("collectstatic", "--noinput", "--verbosity", "0")
        found.kill("web")  # it has read what there was before
        found.start_web()
        assert found.call("GET", "/me").status_code == 200
        yield found


@pytest.fixture(scope="module")
def crowd(world: World) -> Crowd:
    return Crowd(world, world.manage("shell", "--no-imports", "-c", _SIGN_IN).splitlines()[-1])


@pytest.mark.soak
def test_while_the_database_is_away_everybody_is_told_to_come_again(world: World, crowd: Crowd) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        running: list[Future[None]] = [pool.submit(crowd.go_on) for _ in range(THREADS)]
        try:
            crowd.wait_for(OK)
            world.stop_database()
            crowd.wait_for({503})
            time.sleep(AWAY_SECONDS)
            world.start_database()
            crowd.wait_for(OK)
            world.restart_database()
            crowd.wait_for(OK)
        finally:
            crowd.over.set()
        for one in running:
            one.result()

    refused = [(kind, answer) for kind, answer in crowd.answers if answer.status_code not in OK]
    assert {answer.status_code for _, answer in refused} == {503}, world.logs()
    for kind, answer in refused:
        assert answer.headers["Content-Type"].partition(";")[0] == TYPES[kind]
        assert answer.headers["Retry-After"] == "5"
        assert "The service is interrupted" in answer.text
        assert answer.headers["Request-Id"] in answer.text


@pytest.mark.soak
def test_the_first_requests_after_a_restart_are_answered(world: World, crowd: Crowd) -> None:
    """Each thread of the server holds a connection that the restart has cut."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(crowd.ask, KINDS * THREADS))
        world.restart_database()
        answers = list(pool.map(crowd.ask, KINDS * THREADS))

    assert {answer.status_code for answer in answers} <= OK, world.logs()


@pytest.mark.soak
def test_a_write_that_was_cut_off_takes_effect_once(world: World, crowd: Crowd) -> None:
    """Those that were told to come again do so, under their keys."""
    writes = {answer.request.headers["Idempotency-Key"]: answer.status_code for kind, answer in crowd.answers if kind == "write"}
    again = [key for key, status in writes.items() if status == 503]
    assert again
    for key in again:
        name = key.replace("guest-", "Guest ")
        assert world.call("POST", "/customers", {"name": name}, key=key).status_code == 201

    assert world.ask("SELECT count(*) FROM customers_customer") == len(writes)

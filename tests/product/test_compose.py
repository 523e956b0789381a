"""docker-compose.yml: what stands in it, and that every command in it works, with the settings of a real server."""

import json
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from cryptography.fernet import Fernet
from django.conf import settings

from bookingflow import embedded
from tests.product.compose import COMPOSE, OURS, SERVICES, Containers, command, image_environment, instructions
from tests.server import eventually, free_port, open_folder

pytestmark = pytest.mark.timeout(400)
WORKERS = ("worker", "webhook-worker")
LONG_RUNNING = ("web", *WORKERS, "beat")
# Settings that no server is to change: the image says where data goes, and the others are for tests and for developers.
NOT_PASSED_ON = {"VAR_DIR", "PASSWORD_HASHERS", "WEBHOOK_ALLOW_LOOPBACK"}
DOTENV = {
    "SECRET_KEY": "a-secret-key-of-fifty-letters-and-more-0123456789-abcdefghijkl",
    "SECRET_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "POSTGRES_PASSWORD": "secret",
    "PUBLIC_URL": "https://bookings.example",
    "ALLOWED_HOSTS": "bookings.example",
}
PROXY = {"Host": "bookings.example", "X-Forwarded-Proto": "https"}
_KEY = """
from developers.models import ApiKey
from developers.services import create_key
from organizations.actor import Actor
from organizations.services import create_organization
organization = create_organization(name="Compose")
print(create_key(by=Actor.system(organization), name="compose", preset=ApiKey.Preset.READ_WRITE)[1])
"""
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def settings_read() -> set[str]:
    return set(re.findall(r'env\.\w+\(\s*"(\w+)"', (settings.BASE_DIR / "bookingflow" / "settings.py").read_text()))


def test_there_is_a_service_for_each_part() -> None:
    assert set(SERVICES) == {"postgres", "redis", "migrate", *LONG_RUNNING}
    assert (SERVICES["postgres"]["image"], SERVICES["redis"]["image"]) == ("postgres:18", "redis:8")
    assert set(OURS) == {"migrate", *LONG_RUNNING}


def test_nobody_in_the_image_is_root() -> None:
    user = instructions("USER")

    assert user
    assert user[-1] not in ("root", "0")
    assert "USER" in (settings.BASE_DIR / "Dockerfile").read_text().partition("\nCMD")[0]
    assert not any("user" in service or "privileged" in service for service in OURS.values())


def test_everything_that_runs_has_a_health_check_and_time_to_end() -> None:
    for name in (*LONG_RUNNING, "postgres", "redis"):
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD", name
        assert SERVICES[name]["restart"] == "unless-stopped", name
    for name in LONG_RUNNING:
        assert SERVICES[name]["stop_grace_period"], name
    kills_after = int(json.loads(instructions("CMD")[0])[json.loads(instructions("CMD")[0]).index("--workers-kill-timeout") + 1])
    assert 30 < kills_after < int(SERVICES["web"]["stop_grace_period"].removesuffix("s"))


def test_nothing_starts_before_what_it_needs() -> None:
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in LONG_RUNNING:
        assert SERVICES[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "redis": {"condition": "service_healthy"},
        }


def test_only_the_web_server_is_reached_from_outside_and_only_through_a_proxy() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "web": ["127.0.0.1:8000:8000"]
    }
    assert not any("network_mode" in service for service in SERVICES.values())


@pytest.mark.parametrize("service", OURS)
def test_every_setting_is_passed_on(service: str) -> None:
    assert set(SERVICES[service]["environment"]) | NOT_PASSED_ON == settings_read()
    assert image_environment()["VAR_DIR"].startswith("/")


def test_no_secret_and_no_rubbish_gets_into_the_image() -> None:
    ignored = (settings.BASE_DIR / ".dockerignore").read_text().splitlines()

    assert {".*", "var", "tests"} <= set(ignored)  # .env and .git begin with a dot
    assert not re.search(r"^(ENV|ARG) .*(SECRET|PASSWORD|TOKEN)", (settings.BASE_DIR / "Dockerfile").read_text(), re.M)
    assert "postgres" in COMPOSE["volumes"]


@pytest.fixture(scope="module")
def containers() -> Iterator[Containers]:
    """All of them, made and started in the order that compose would."""
    with ExitStack() as stack:
        folder = stack.enter_context(open_folder())
        (folder / "var").mkdir()
        instead = {
            "DATABASE_URL": stack.enter_context(embedded.postgresql(folder / "postgres", fast=True)),
            "REDIS_URL": stack.enter_context(embedded.redis(folder / "redis")),
            "VAR_DIR": str(folder / "var"),
            "GRANIAN_HOST": "127.0.0.1",
            "GRANIAN_PORT": str(free_port()),
            "PYTHONWARNINGS": "ignore:You're running the worker with superuser",  # nobody in the image is root
        }
        found = Containers(folder, DOTENV, instead)
        stack.callback(found.kill)
        build = found.run(["bash", "-c", instructions("RUN")[-1]])
        assert build.returncode == 0, build.stderr
        migrated = found.run(command("migrate"))
        assert migrated.returncode == 0, migrated.stderr
        for service in LONG_RUNNING:
            found.start(service)
        yield found


@pytest.fixture(scope="module")
def secret(containers: Containers) -> str:
    made = containers.run(["python", "manage.py", "shell", "--no-imports", "-c", _KEY])
    assert made.returncode == 0, made.stderr
    return made.stdout.splitlines()[-1]


def call(containers: Containers, method: str, path: str, secret: str = "", body: Any = None) -> requests.Response:
    url = f"http://127.0.0.1:{containers.instead['GRANIAN_PORT']}/api/v1/public{path}"
    headers = {**PROXY, "Authorization": f"Bearer {secret}"}
    return requests.request(method, url, json=body, headers=headers, timeout=30, allow_redirects=False)


@contextmanager
def locked(containers: Containers, sql: str, *values: str) -> Iterator[Callable[[], None]]:
    """Rows that nobody else may write until the block ends. Gives a way to wait for somebody who wants to."""
    with (
        psycopg.connect(containers.instead["DATABASE_URL"]) as locking,
        psycopg.connect(containers.instead["DATABASE_URL"], autocommit=True) as watching,
    ):
        locking.execute(sql.encode(), values)

        def wanted() -> None:
            eventually(lambda: (watching.execute(_WAITING).fetchone() or (0,))[0] > 0)

        yield wanted


def ask(containers: Containers, sql: str) -> Any:
    with psycopg.connect(containers.instead["DATABASE_URL"]) as connection:
        return (connection.execute(sql.encode()).fetchone() or (None,))[0]


@pytest.mark.soak
def test_every_health_check_turns_green_and_the_api_answers(containers: Containers, secret: str) -> None:
    with ThreadPoolExecutor(len(LONG_RUNNING)) as pool:
        list(pool.map(containers.wait_for, LONG_RUNNING))

    assert call(containers, "GET", "/me", secret).json()["organization"]["name"] == "Compose"
    assert call(containers, "GET", "/status").json()["status"] == "ok"


@pytest.mark.soak
def test_a_health_check_of_what_does_not_run_fails(containers: Containers) -> None:
    nothing = replace(containers, instead={**containers.instead, "GRANIAN_PORT": str(free_port()), "VAR_DIR": "/nowhere"})

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(nothing.is_healthy, ("web", "beat"))) == [False, False]


@pytest.mark.soak
def test_a_request_that_runs_when_the_web_server_is_told_to_stop_is_answered(containers: Containers, secret: str) -> None:
    customer = call(containers, "POST", "/customers", secret, {"name": "Ada"}).json()["id"]
    with ThreadPoolExecutor(2) as pool:
        with locked(containers, "SELECT 1 FROM customers_customer WHERE public_id = %s FOR UPDATE", customer) as wanted:
            running = pool.submit(call, containers, "PUT", f"/customers/{customer}", secret, {"name": "Grace"})
            wanted()
            stopped = pool.submit(containers.stop, "web")
            eventually(lambda: is_refused(containers))
            assert not running.done()
        answer = running.result()

    assert (answer.status_code, answer.json()["name"]) == (200, "Grace")
    assert stopped.result() == 0


def is_refused(containers: Containers) -> bool:
    """The server takes no new connection."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(containers.instead["GRANIAN_PORT"]))) != 0


# A task that waits for a row's lock: the note of a key's last use.
_USE = """
from celery import current_app
from developers.models import ApiKeySecret
from bookingflow.celery import app
app.send_task("developers.tasks.record_use", args=[ApiKeySecret.objects.get().pk, "2026-01-01T00:00:00+00:00", None, "{agent}"])
"""
_AGENT = "SELECT last_used_agent FROM developers_apikeysecret"


def use(containers: Containers, agent: str) -> None:
    done = containers.run(["python", "manage.py", "shell", "--no-imports", "-c", _USE.format(agent=agent)])
    assert done.returncode == 0, done.stderr


@pytest.mark.soak
def test_a_task_whose_process_dies_is_taken_up_again(containers: Containers, secret: str) -> None:
    with locked(containers, "SELECT 1 FROM developers_apikeysecret FOR UPDATE") as wanted:
        use(containers, "died once")
        wanted()
        for child in children(containers.running["worker"].pid):
            os.kill(child, signal.SIGKILL)

    eventually(lambda: ask(containers, _AGENT) == "died once")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.soak
def test_a_task_that_runs_when_its_worker_is_told_to_stop_is_finished(containers: Containers, secret: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        with locked(containers, "SELECT 1 FROM developers_apikeysecret FOR UPDATE") as wanted:
            use(containers, "finished")
            wanted()
            stopped = pool.submit(containers.stop, "worker")
            eventually(lambda: "Warm shutdown" in containers.log("worker"))
        assert stopped.result() == 0

    assert ask(containers, _AGENT) == "finished"


@pytest.mark.soak
def test_the_others_end_when_they_are_told_to(containers: Containers) -> None:
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(containers.stop, ("webhook-worker", "beat"))) == [0, 0]


@pytest.mark.soak
@pytest.mark.parametrize("service", LONG_RUNNING)
def test_every_line_of_the_log_is_one_json_object(containers: Containers, service: str) -> None:
    written = containers.log(service).splitlines()
    by_hand = ("", "worker: Warm shutdown (MainProcess)")  # Celery's, which it does not log
    lines = [json.loads(line) for line in written if line not in by_hand]

    assert lines
    for line in lines:
        assert {"timestamp", "level", "logger", "message"} <= line.keys()
        assert secret_free(line)


def secret_free(line: dict[str, Any]) -> bool:
    return not any(DOTENV[name] in json.dumps(line) for name in ("SECRET_KEY", "SECRET_ENCRYPTION_KEYS"))

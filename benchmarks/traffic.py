"""What the measurements of webhooks share: tenants with endpoints, events for them at a steady pace, the product's own
processes, and the bare loop that is the floor.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import orjson
import redis
from django.conf import settings
from django.db import connection, transaction

from bookingflow.embedded import die_with_parent
from bookingflow.run import PROCESSES
from common.ids import new_id
from common.signing import new_secret, sign
from organizations.actor import Actor
from organizations.models import Organization
from organizations.services import create_organization
from webhooks.engine.relay import relay
from webhooks.envelope import body
from webhooks.examples import example_envelope
from webhooks.models import Delivery, Endpoint, Event
from webhooks.services import create_endpoint, emit
from webhooks.types import EventType

READY_WITHIN = STOPPED_WITHIN = 30  # seconds
EMITTERS = 4  # threads that commit at a time
BOOKING = example_envelope(EventType.BOOKING_CREATED)["data"]["object"]
ALLOW = {"WEBHOOK_ALLOW_LOOPBACK": "1", "LOG_LEVEL": "INFO"}  # the log tells when they are ready


@dataclass
class Tenants:
    """Organizations with one endpoint each."""

    by: list[Actor]
    committed: dict[str, float] = field(default_factory=dict)  # when each event was, by its id

    def emit(self, count: int) -> set[str]:
        """So many events at once, tenant by tenant in turn and a transaction for each."""
        before = set(self.committed)
        for number in range(count):
            emit_one(self.by[number % len(self.by)], self.committed)
        return self.committed.keys() - before

    def emit_steadily(self, rate: float, seconds: float) -> set[str]:
        return steadily(rate, seconds, lambda number: emit_one(self.by[number % len(self.by)], self.committed))

    def flood(self, count: int) -> None:
        """So many events for each, committed at once; nobody asks when they arrive."""
        for by in self.by:
            Event.objects.bulk_create(_booking_created(by) for _ in range(count))


@contextlib.contextmanager
def tenants(urls: list[str]) -> Iterator[Tenants]:
    """One for each address; all that they leave behind goes with them."""
    made = [Actor.system(create_organization(name=f"Benchmark {number} {new_id('x')}")) for number in range(len(urls))]
    try:
        for by, url in zip(made, urls, strict=True):
            create_endpoint(by=by, url=url)
        yield Tenants(made)
    finally:
        _forget([by.organization for by in made])


def _forget(organizations: list[Organization]) -> None:
    keys = [organization.pk for organization in organizations]
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '30s'")  # what the workers that were just killed had begun comes to its end first
        for table, column in (
            ("webhooks_attempt", "endpoint_id IN (SELECT id FROM webhooks_endpoint WHERE organization_id = ANY(%s))"),
            ("webhooks_delivery", "organization_id = ANY(%s)"),
            ("webhooks_event", "organization_id = ANY(%s)"),
        ):
            cursor.execute(f"DELETE FROM {table} WHERE {column}", [keys])
    Endpoint.objects.filter(organization__in=keys).delete()


def require_quiet() -> None:
    """What is left of an earlier run would be sent too."""
    while relay():
        pass
    assert not Delivery.objects.unfinished().exists(), "This database has webhooks to send: remove var/bench"


def _booking_created(by: Actor) -> Event:
    event = Event(
        organization=by.organization,
        type=EventType.BOOKING_CREATED,
        object_type="booking",
        object_id=new_id("bkg"),
        object_version=1,
        data={"object": BOOKING, "previous_attributes": {}},
        actor_type=by.type,
        actor_id=by.id,
    )
    event.body = body(event).decode()
    return event


def emit_one(by: Actor, committed: dict[str, float]) -> str:
    """As a service does it. The time is taken right behind the commit, before the bell is rung."""
    with transaction.atomic():
        transaction.on_commit(lambda: committed.setdefault(event.public_id, time.time()))
        event = emit(EventType.BOOKING_CREATED, by=by, object={**BOOKING, "id": new_id("bkg")}, version=1)
    return event.public_id


def steadily(rate: float, seconds: float, act: Callable[[int], str]) -> set[str]:
    """Open loop: each act at its time, however long others take; in threads with a database connection each."""
    number_of = int(rate * seconds)
    began = time.monotonic() + 0.1

    def work(first: int) -> list[str]:
        found = []
        for number in range(first, number_of, EMITTERS):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            found.append(act(number))
        connection.close()
        return found

    with ThreadPoolExecutor(EMITTERS) as pool:
        done = {event for events in pool.map(work, range(EMITTERS)) for event in events}
    took = time.monotonic() - began
    if took > seconds * 1.1:
        print(f"  (asked for {rate:g}/s, got {number_of / took:.0f}/s: this machine is busy)", flush=True)
    return done


@contextlib.contextmanager
def processes(*names: str, **environment: str) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Some of `make run`'s, ready for work. Bells that were rung before are not heard."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    folder = Path(settings.VAR_DIR)
    with contextlib.ExitStack() as stack:
        running = []
        for name in names:
            log = folder / f"{name}.log"
            output = stack.enter_context(log.open("w"))
            command = [str(part) for part in PROCESSES[name]]
            process = subprocess.Popen(
                command,
                env={**os.environ, **ALLOW, **environment},
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
            stack.callback(_stop, process)
            running.append((process, log))
        deadline = time.monotonic() + READY_WITHIN
        for process, log in running:
            while not any(word in log.read_text(errors="replace") for word in (" ready.", "beat: Starting...")):
                assert process.poll() is None, f"see {log}"
                assert time.monotonic() < deadline, f"see {log}"
                time.sleep(0.1)
        yield [process for process, _ in running]


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Children and all; work that is cut short is the database's to remember."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(STOPPED_WITHIN)


def bare_loop(url: str, count: int, in_flight: int) -> tuple[float, float]:
    """(Seconds to the first answer, seconds to all) of that many POSTs through aiohttp alone: dump, sign, send, read."""
    content, secret, gate = {"data": {"object": BOOKING}}, new_secret(), asyncio.Semaphore(in_flight)
    began = time.monotonic()
    first: list[float] = []

    async def post(session: aiohttp.ClientSession, number: int) -> None:
        async with gate:
            name, now, body = f"evt_floor{number}", datetime.now(UTC), orjson.dumps(content)
            signature = sign([secret], message_id=name, timestamp=now, body=body)
            headers = {"webhook-id": name, "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
            async with session.post(url, data=body, headers=headers) as answer:
                await answer.read()
            first or first.append(time.monotonic() - began)

    async def run() -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await asyncio.gather(*(post(session, number) for number in range(count)))

    asyncio.run(run())
    return first[0], time.monotonic() - began

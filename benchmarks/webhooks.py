"""What webhooks cost and how fast they are, each figure beside a floor or a baseline measured in the same run."""

import datetime as dt
import itertools
import os
import statistics
import subprocess
import time
from unittest.mock import patch

import psutil  # type: ignore[import-untyped]
from django.db import transaction
from django.test import override_settings

from benchmarks import dataset
from benchmarks.receiver import Receiver
from benchmarks.traffic import BOOKING, Tenants, bare_loop, processes, require_quiet, steadily, tenants
from bookings.services import create_booking
from common.ids import new_id
from customers.models import Customer
from organizations.actor import Actor
from organizations.services import create_organization
from webhooks import engine
from webhooks.models import Delivery, Event
from webhooks.types import EventType

ENDPOINTS, IN_FLIGHT = 25, 200  # 8 in flight to each
EVENTS = 2_500
UNLIMITED = {"WEBHOOK_RATE_PER_SECOND": 100_000.0, "WEBHOOK_BURST": 100_000}
PACES = ((1, 10, 5), (50, 10, 3), (200, 10, 3))  # events/s, seconds, seconds of the floor
ROUNDS = 150
REST_SECONDS = 10
HANGING, HEALTHY, FLOOD = 12, 11, 20_000  # and one endpoint that is flooded
CALM_PACE, CALM_SECONDS = 20, 15  # events/s to the healthy, as long as a hanging request lasts
ARRIVED_WITHIN = 30  # seconds


def main() -> None:
    require_quiet()
    print(f"\nWebhooks; load at the start {os.getloadavg()[0]:.1f}\n")
    print(f"| {'what':62} | figure | floor | ratio |")
    print(f"| {'-' * 62} | ---: | ---: | ---: |", flush=True)
    with Receiver() as receiver, override_settings(WEBHOOK_ALLOW_LOOPBACK=True):
        throughput(receiver)
        burst(receiver)
        emitting()
        latency(receiver)
        at_rest()
        fairness(receiver)


def line(what: str, figure: float, floor: float, unit: str) -> None:
    print(f"| {what:62} | {figure:.3g} {unit} | {floor:.3g} {unit} | {figure / floor:.2f} |", flush=True)


def throughput(receiver: Receiver) -> None:
    """One worker at its limit, everything recorded."""
    for milliseconds in (50, 0):
        url = receiver.url(milliseconds)
        with tenants([url] * ENDPOINTS) as some, override_settings(**UNLIMITED):
            events = some.emit(EVENTS)
            began = time.monotonic()
            while Delivery.objects.unfinished().exists() or not Delivery.objects.filter(event__public_id=min(events)).exists():
                engine.drain()
            took = time.monotonic() - began
            receiver.wait_for(events, 0)
        _, floor = bare_loop(url, EVENTS, IN_FLIGHT)
        receiver.arrivals()
        line(f"deliveries by one worker, receivers answering in {milliseconds} ms", EVENTS / took, EVENTS / floor, "/s")


def burst(receiver: Receiver) -> None:
    """Queued before the engine starts."""
    url, count = receiver.url(0), 500
    with tenants([url] * ENDPOINTS) as some:
        events = some.emit(count)
        began = time.time()
        engine.drain()
        arrived = receiver.wait_for(events, 0)
    floor_first, floor_all = bare_loop(url, count, IN_FLIGHT)
    receiver.arrivals()
    line(f"{count} at once: start to first arrival", (min(arrived.values()) - began) * 1000, floor_first * 1000, "ms")
    line(f"{count} at once: rate", count / (max(arrived.values()) - began), count / floor_all, "/s")


def emitting() -> None:
    """A booking with its event and bell, and one without; turn and turn about, so that what else runs weighs on both."""
    by = Actor.system(create_organization(name=f"Benchmark {new_id('x')}"))
    rooms = dataset.sell_rooms(by, 4)
    customer = Customer.objects.create(organization=by.organization, name="Ada")
    first = dt.datetime.now(dt.UTC).replace(hour=dataset.OPEN_HOUR, minute=0, second=0, microsecond=0)
    slots = itertools.product(range(7, 900), rooms)
    silent = [patch(f"{module}.events.emit") for module in ("bookings", "rooms", "customers")]

    def book() -> float:
        day, room = next(slots)
        began = time.perf_counter()
        create_booking(by=by, room=room, starts_at=first + dt.timedelta(days=day), party_size=2, customer=customer)
        return (time.perf_counter() - began) * 1000

    aloud, alone = [], []
    for _ in range(ROUNDS):
        aloud.append(book())
        for one in silent:
            one.start()
        alone.append(book())
        for one in silent:
            one.stop()
    require_quiet()
    line("a booking, event and bell included", statistics.median(aloud), statistics.median(alone), "ms")


def latency(receiver: Receiver) -> None:
    """From commit to arrival, through the product's own worker; the floor is a POST right behind the commit."""
    with tenants([receiver.url(0)] * ENDPOINTS) as some, processes("webhook-worker", "beat"):
        warm_up(some, receiver)
        for pace, seconds, floor_seconds in PACES:
            waits = delays(some.emit_steadily(pace, seconds), some, receiver)
            floor = straight(receiver, pace, floor_seconds)
            for share in (50, 95, 99):
                line(f"commit to arrival at {pace}/s, p{share}", percentile(waits, share), percentile(floor, share), "ms")


def warm_up(some: Tenants, receiver: Receiver) -> None:
    receiver.wait_for(some.emit(ENDPOINTS), ARRIVED_WITHIN)
    time.sleep(1)


def delays(events: set[str], some: Tenants, receiver: Receiver) -> list[float]:
    """Milliseconds from each one's commit to its arrival."""
    arrived = receiver.wait_for(events, ARRIVED_WITHIN)
    return [(arrived[event] - some.committed[event]) * 1000 for event in events]


def straight(receiver: Receiver, pace: float, seconds: float) -> list[float]:
    import http.client

    by = Actor.system(create_organization(name=f"Benchmark {new_id('x')}"))
    numbers = itertools.count(1)
    committed: dict[str, float] = {}
    connections: dict[int, http.client.HTTPConnection] = {}

    def act(number: int) -> str:
        event = Event(
            organization=by.organization, type=EventType.BOOKING_CREATED, object_type="booking", object_id=new_id("bkg")
        )
        event.object_version, event.actor_type, event.actor_id, event.sequence = 1, by.type, by.id, next(numbers)
        event.data = {"object": BOOKING, "previous_attributes": {}}
        with transaction.atomic():
            event.save()
        committed[event.public_id] = time.time()
        lane = number % 4
        connection = connections.setdefault(lane, http.client.HTTPConnection("127.0.0.1", receiver.port))
        connection.request("POST", "/0", body=b"{}", headers={"webhook-id": event.public_id})
        connection.getresponse().read()
        return event.public_id

    events = steadily(pace, seconds, act)
    for connection in connections.values():
        connection.close()
    arrived = receiver.wait_for(events, ARRIVED_WITHIN)
    return [(arrived[event] - committed[event]) * 1000 for event in events]


def percentile(values: list[float], share: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


def at_rest() -> None:
    """Both kinds of worker and the clock; the floor is the same three without anything on the schedule."""
    rare = {"WEBHOOK_SWEEP_SECONDS": "3600", "SWEEP_SECONDS": "3600"}
    busy, idle = (share_of_a_core(**environment) for environment in ({}, rare))
    line("processor time of workers and beat at rest, of one core", busy, idle, "%")


def share_of_a_core(**environment: str) -> float:
    with processes("worker", "webhook-worker", "beat", **environment) as running:
        time.sleep(2)
        before = processor_seconds(running)
        time.sleep(REST_SECONDS)
        return (processor_seconds(running) - before) / REST_SECONDS * 100


def processor_seconds(running: "list[subprocess.Popen[bytes]]") -> float:
    total = 0.0
    for process in running:
        parent = psutil.Process(process.pid)
        for one in (parent, *parent.children(recursive=True)):
            times = one.cpu_times()
            total += times.user + times.system
    return total


def fairness(receiver: Receiver) -> None:
    """The healthy alone, then beside endpoints that hang and a tenant with a long queue."""
    with (
        tenants([receiver.url(0)] * HEALTHY) as healthy,
        tenants([receiver.url("hang")] * HANGING) as hanging,
        tenants([receiver.url(0)]) as flooded,
        processes("webhook-worker", "beat"),
    ):
        warm_up(healthy, receiver)
        calm = delays(healthy.emit_steadily(CALM_PACE, CALM_SECONDS), healthy, receiver)
        hanging.flood(100)
        flooded.flood(FLOOD)
        stormy = delays(healthy.emit_steadily(CALM_PACE, CALM_SECONDS), healthy, receiver)
    for share in (50, 99):
        line(
            f"commit to arrival beside {HANGING} hanging of {HANGING + HEALTHY + 1} and {FLOOD:,} queued, p{share}",
            percentile(stormy, share),
            percentile(calm, share),
            "ms",
        )

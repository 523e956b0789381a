"""Through real Celery workers, real Redis, real PostgreSQL and a real receiver: whatever is killed, emptied or restarted, every
event arrives at every endpoint, in the record and at the receiver.
"""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.outages.world import Receiver, World, begin

IN_FLIGHT_PER_ENDPOINT = 8
UNFINISHED = "SELECT count(*) FROM webhooks_delivery WHERE state NOT IN ('succeeded', 'exhausted', 'canceled')"
UNRELAYED = "SELECT count(*) FROM webhooks_event WHERE sequence IS NULL"
TROUBLES = ["kill", "empty redis", "kill", "restart redis", "kill", "restart postgresql"]
pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("django_db_setup")]


def storm(world: World, is_over: Callable[[], bool], *, pause: float, seed: int = 3) -> list[str]:
    """Trouble after trouble, one of each kind at least, until it is over; answers what was done. In the main thread: what an
    ending thread has started ends with it.
    """
    dice = random.Random(seed)
    done: list[str] = []
    while not is_over() or len(done) < len(TROUBLES):
        trouble = TROUBLES[len(done)] if len(done) < len(TROUBLES) else dice.choice([*TROUBLES[:3], "kill"])
        if trouble == "kill":
            if not (at_work := world.workers_at_work()):  # a worker that is still starting is no loss
                time.sleep(0.2)
                continue
            world.kill(at_work[0])
            world.start_worker(len(done) + 10)
        elif trouble == "empty redis":
            world.empty_redis()
        elif trouble == "restart redis":
            world.restart_redis()
        else:
            world.restart_database()
        done.append(trouble)
        time.sleep(pause)
    return done


def everything_arrives(folder: Path, *, events: int, pause: float) -> None:
    receiver = Receiver(failing_share=1 / 3)
    try:
        with begin(folder) as world:
            for path in ("/one", "/two"):
                world.add_endpoint(receiver.url(path))
            world.start_beat()
            for number in (1, 2):
                world.start_worker(number)
            with ThreadPoolExecutor(4) as pool:
                names = [f"guest-{number}" for number in range(events)]
                made = [pool.submit(world.call, "POST", "/customers", {"name": name}, key=name) for name in names]
                troubles = storm(world, lambda: all(call.done() for call in made), pause=pause)
                assert {call.result().status_code for call in made} == {201}
            wait_for(lambda: not world.ask(UNRELAYED) and not world.ask(UNFINISHED), within=90, world=world)

            assert world.ask("SELECT count(*) FROM webhooks_event") == events
            assert world.ask("SELECT max(sequence) FROM webhooks_event") == events
            assert world.ask("SELECT count(*) FROM webhooks_delivery WHERE state = 'succeeded'") == 2 * events
            assert len(receiver.accepted) == 2 * events
            duplicates = sum(count - 1 for count in receiver.accepted.values())
            interruptions = sum(trouble in ("kill", "restart postgresql") for trouble in troubles)
            print(f"{events} events, {len(troubles)} troubles, {duplicates} duplicates")
            assert duplicates <= interruptions * 2 * IN_FLIGHT_PER_ENDPOINT
    finally:
        receiver.stop()


def wait_for(holds: Callable[[], bool], *, within: float, world: World) -> None:
    give_up_at = time.monotonic() + within
    while not holds():
        assert time.monotonic() < give_up_at, world.logs()
        time.sleep(0.2)


def test_every_event_arrives_through_kills_and_restarts(folder: Path) -> None:
    everything_arrives(folder, events=150, pause=1.0)


@pytest.mark.soak
def test_two_thousand_events_arrive_through_a_long_storm(folder: Path) -> None:
    everything_arrives(folder, events=2_000, pause=1.5)

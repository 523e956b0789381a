"""Loaded by Schemathesis: ids and times that it makes up are unknown to the server, so that most calls would end at "there is no
such room". Where they are well-formed, real ones take their place: of objects that were there, or that were answered since.
"""

import json
import os
import re
from collections import defaultdict, deque
from typing import Any

import schemathesis

# The ids of objects by their prefix, the starts of free slots, and which id each route's {id} is.
KEPT: dict[str, list[str]] = json.loads(os.environ["CONTRACT_IDS"])
SLOTS = deque(json.loads(os.environ["CONTRACT_SLOTS"]))
PREFIXES: dict[str, str] = json.loads(os.environ["CONTRACT_PREFIXES"])
OF_FIELD = {"venue": "ven", "room": "rm", "rooms": "rm", "customer": "cus", "booking": "bkg", "endpoint": "whe"}
WELL_FORMED = re.compile("[0-9A-Za-z_-]{1,64}")
made: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=8))
turns: dict[str, int] = defaultdict(int)


def known(prefix: str, *, to_delete: bool = False) -> str | None:
    """Each in its turn. What was there at first is never deleted: other calls need it."""
    pool = [*([] if to_delete else KEPT.get(prefix, [])), *made[prefix]]
    turns[prefix] += 1
    return pool[turns[prefix] % len(pool)] if pool else None


def real(name: str, value: Any) -> Any:
    """What takes the value's place: the value itself where it is no well-formed id or time."""
    if isinstance(value, list):
        return [real(name, item) for item in value]
    if not isinstance(value, str):
        return value
    if name == "starts_at" and "T" in value:
        SLOTS.rotate()
        return SLOTS[0]
    return (known(OF_FIELD[name]) or value) if name in OF_FIELD and WELL_FORMED.fullmatch(value) else value


@schemathesis.hook
def before_call(context: Any, case: Any, **kwargs: Any) -> None:
    path_id = (case.path_parameters or {}).get("id")
    if isinstance(path_id, str) and WELL_FORMED.fullmatch(path_id):
        case.path_parameters["id"] = known(PREFIXES[case.path], to_delete=case.method == "DELETE") or path_id
    for container in (case.query, case.body):
        if isinstance(container, dict):
            for name in container:
                container[name] = real(name, container[name])


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    if response.status_code == 201 and "dry-run" not in response.headers:
        found = response.json()["id"]
        if isinstance(found, str):
            made[found.partition("_")[0]].append(found)
    elif case.method == "DELETE" and response.status_code == 200:
        for ids in made.values():
            if case.path_parameters["id"] in ids:
                ids.remove(case.path_parameters["id"])

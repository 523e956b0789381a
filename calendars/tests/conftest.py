from collections.abc import Iterator
from typing import Any

import pytest

from calendars.models import CalendarImport
from calendars.services import create_import
from calendars.tests.host import Host, listening
from rooms.models import Room
from tests.cast import Player


@pytest.fixture
def host(settings: Any) -> Iterator[Host]:
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    with listening() as found:
        yield found


@pytest.fixture
def source(alice: Player, group_room: Room, host: Host) -> CalendarImport:
    return create_import(by=alice.actor, room=group_room, name="Team calendar", secret_url=host.url)

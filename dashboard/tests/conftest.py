"""For tests of pages."""

from typing import Any

import pytest

from dashboard.tests.objects import one_of_each
from rooms.models import Room
from tests.cast import Player


@pytest.fixture(autouse=True)
def uncollected_static_files(settings: Any) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def ids(alice: Player, bob: Player, group_room: Room) -> dict[str, str]:
    return one_of_each(alice, bob, group_room)

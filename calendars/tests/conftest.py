from collections.abc import Iterator
from typing import Any

import pytest

from calendars.tests.host import Host, listening


@pytest.fixture
def host(settings: Any) -> Iterator[Host]:
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    with listening() as found:
        yield found

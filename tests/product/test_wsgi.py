"""What a web worker does when it is loaded."""

import subprocess
import sys

import pytest
from django.conf import settings

from tests.server import test_environment

_LOAD = """
import gc, sys
import bookingflow.wsgi
frozen = gc.get_freeze_count()
gc.collect()
print(frozen, len(gc.get_objects()), "bookings.api.views" in sys.modules)
"""


@pytest.mark.soak
def test_all_that_is_loaded_is_frozen_before_the_first_request() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", _LOAD], cwd=settings.BASE_DIR, env=test_environment(), capture_output=True, text=True, check=True
    )

    frozen, left, has_views = loaded.stdout.split()
    assert has_views == "True"
    assert int(frozen) > 100_000
    assert int(left) < int(frozen) / 100

"""The Celery application: `celery -A bookingflow worker`, `celery -A bookingflow beat`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookingflow.settings")

app = Celery("bookingflow")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def check_settings(**kwargs: Any) -> None:
    """Celery runs system checks and drops what they say; of what a signal's handler raises, only SystemExit reaches it."""
    from bookingflow.checks import refuse_to_start  # Django is set up by now

    refuse_to_start()

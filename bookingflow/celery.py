"""The Celery application: `celery -A bookingflow worker`, `celery -A bookingflow beat`."""

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import task_prerun, worker_init
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookingflow.settings")

app = Celery("bookingflow")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Celery would close the connection to the database around every task, and making one takes longer than most tasks do.
app.conf.update(CELERY_DB_REUSE_MAX=sys.maxsize // 2)


@task_prerun.connect
def renew_connections(**kwargs: Any) -> None:
    """What a web request does when it begins: leave a connection that is broken or old, and test the one that is kept."""
    close_old_connections()


@worker_init.connect
def check_settings(**kwargs: Any) -> None:
    """Celery runs system checks and drops what they say; of what a signal's handler raises, only SystemExit reaches it."""
    from bookingflow.checks import refuse_to_start  # Django is set up by now

    refuse_to_start()

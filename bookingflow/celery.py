"""The Celery application: `celery -A bookingflow worker`, `celery -A bookingflow beat`."""

import logging
import os
import sys
from logging.config import DictConfigurator
from typing import Any

from celery import Celery
from celery.signals import after_setup_logger, after_setup_task_logger, task_prerun, worker_init
from celery.utils.log import get_multiprocessing_logger
from django.conf import settings
from django.db import close_old_connections

from common import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookingflow.settings")
# Celery's own system checks load every view and drop what they find; `check_settings` below asks what matters.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("bookingflow")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Celery would close the connection to the database around every task, and making one takes longer than most tasks do.
app.conf.update(CELERY_DB_REUSE_MAX=sys.maxsize // 2)


@task_prerun.connect
def renew_connections(**kwargs: Any) -> None:
    """What a web request does when it begins: leave a connection that is broken or old, and test the one that is kept."""
    close_old_connections()


@task_prerun.connect
def tell_the_log(task: Any, task_id: str, **kwargs: Any) -> None:
    """One task at a time runs in a worker's process, and each takes the place of the last."""
    logs.note(task=task.name, task_id=task_id)


@after_setup_logger.connect
@after_setup_task_logger.connect
def log_like_the_web(logger: logging.Logger, **kwargs: Any) -> None:
    """Celery makes handlers of its own, by its --loglevel. Where programs read the log, what they write looks like the rest."""
    if settings.LOG_FORMAT == "json":
        formatter = DictConfigurator({}).configure_formatter(dict(settings.JSON_LINES))
        pool = get_multiprocessing_logger()  # tells of processes that were lost
        for handler in (*logger.handlers, *(pool.handlers if pool else ())):
            handler.setFormatter(formatter)
            handler.addFilter(logs.Known())


@worker_init.connect
def check_settings(**kwargs: Any) -> None:
    """Of what a signal's handler raises, only SystemExit reaches Celery."""
    from bookingflow.checks import refuse_to_start  # Django is set up by now

    refuse_to_start()

"""The Celery application: `celery -A bookingflow worker`, `celery -A bookingflow beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookingflow.settings")

app = Celery("bookingflow")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

"""The queue's and the clock's door to calendars."""

from celery import shared_task

from calendars import services


@shared_task
def sync() -> None:
    services.sync_due()

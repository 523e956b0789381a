"""The queue's and the clock's door to webhooks."""

from celery import shared_task

from webhooks import engine


@shared_task
def deliver() -> None:
    engine.drain()

"""The queue's and the clock's door to webhooks."""

import functools

from celery import shared_task

from common import jobs
from webhooks import engine
from webhooks.engine.drain import BELL
from webhooks.engine.forget import forget as forget_old
from webhooks.engine.send import Sender
from webhooks.models import Endpoint
from webhooks.services import owners

LINGERS_SECONDS = (
    2.0  # after the last news: a task of its own for each would take longer than all the rest; a sweep can wait so long
)
RETRY_SECONDS, RETRIES = 10, 4  # of a letter, while the mail server is away; the pause doubles


@functools.cache
def _sender() -> Sender:
    """One for the whole life of a worker's process: its connections stay open, and it hears the bell."""
    sender = Sender()
    jobs.listen(BELL, sender.wake)
    return sender


@shared_task
def deliver() -> None:
    """What the bell starts, unless a worker that was at work has heard it in the meantime."""
    if jobs.hear(BELL):
        engine.drain(sender=_sender(), lingers=LINGERS_SECONDS)


@shared_task
def sweep() -> None:
    """What nobody rang for, or nobody heard."""
    engine.drain(sender=_sender())


@shared_task
def forget() -> None:
    forget_old()


@shared_task(autoretry_for=(OSError,), retry_backoff=RETRY_SECONDS, max_retries=RETRIES)
def warn_owners(endpoint_pk: int, hours: int) -> None:
    for endpoint in Endpoint.objects.filter(pk=endpoint_pk).select_related("organization__sandbox_of"):  # or deleted since
        owners.warn_owners(endpoint=endpoint, hours=hours)


@shared_task(autoretry_for=(OSError,), retry_backoff=RETRY_SECONDS, max_retries=RETRIES)
def tell_owners_disabled(endpoint_pk: int) -> None:
    for endpoint in Endpoint.objects.filter(pk=endpoint_pk).select_related("organization__sandbox_of"):
        owners.tell_owners_disabled(endpoint=endpoint)

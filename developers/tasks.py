"""The clock's and the queue's door to the API's frame."""

import datetime as dt

from celery import shared_task

from developers import reminders, request_log, services


@shared_task
def record_use(secret_id: int, at: str, ip: str | None, agent: str) -> None:
    services.record_use(secret_id=secret_id, at=dt.datetime.fromisoformat(at), ip=ip, agent=agent)


@shared_task
def remind_of_expiring_keys() -> None:
    reminders.remind_of_expiring_keys()


@shared_task
def forget_idempotency() -> None:
    services.forget_idempotency()


@shared_task
def drain_request_log() -> None:
    request_log.drain()


@shared_task
def forget_request_log() -> None:
    request_log.forget()

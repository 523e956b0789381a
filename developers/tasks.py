"""The clock's and the queue's door to the API's frame."""

import datetime as dt

from celery import shared_task

from developers import services


@shared_task
def record_use(secret_id: int, at: str, ip: str | None, agent: str) -> None:
    services.record_use(secret_id=secret_id, at=dt.datetime.fromisoformat(at), ip=ip, agent=agent)


@shared_task
def forget_idempotency() -> None:
    services.forget_idempotency()

"""The clock's door to bookings."""

from celery import shared_task

from bookings import services
from common import jobs


@shared_task
def expire_holds() -> None:
    services.expire_holds()


@shared_task
def work_off_payments() -> None:
    jobs.hear("bookings.tasks.work_off_payments")
    services.work_off_payments()


@shared_task
def complete_bookings() -> None:
    services.complete_bookings()


@shared_task
def forget_quotes() -> None:
    services.forget_quotes()

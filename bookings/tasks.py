"""The clock's door to bookings."""

from celery import shared_task

from bookings import services


@shared_task
def expire_holds() -> None:
    services.expire_holds()


@shared_task
def complete_bookings() -> None:
    services.complete_bookings()

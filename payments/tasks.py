"""The queue's door to money. Orders to Stripe are worked off by `bookings.tasks`, which knows what they are for."""

from celery import shared_task

from bookings.services import tell_owners_of_failed_refund as tell
from payments.models import Refund

RETRY_SECONDS, RETRIES = 10, 4  # of a letter, while the mail server is away; the pause doubles


@shared_task(autoretry_for=(OSError,), retry_backoff=RETRY_SECONDS, max_retries=RETRIES)
def tell_owners_of_failed_refund(refund_pk: int) -> None:
    for refund in Refund.objects.filter(pk=refund_pk).select_related("payment", "organization__sandbox_of"):
        tell(refund)

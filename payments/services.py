"""The verbs on money. The caller holds the lock on what was paid for, so that sums hold still."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import Q, Sum
from django.db.models.functions import Now
from django.utils import timezone

from common import jobs
from common.signing import encrypt
from organizations.actor import Actor
from organizations.services import record, require_administrator
from payments.errors import PaymentRefused, RefundExceedsPaid
from payments.gateway import Gateway, GivenBack, Intent, account_of
from payments.models import Payment, Refund, StripeAccount

WORK_OFF = "bookings.tasks.work_off_payments"
FIRST_CHECK = dt.timedelta(seconds=60)  # by then the request that began it has finished, or never will
# Between looks at Stripe, whatever webhooks tell; then as long as the last.
CHECK_AFTER = [dt.timedelta(seconds=seconds) for seconds in (10, 30, 60, 120, 300, 900, 3600)]
KEYS_LAST = dt.timedelta(hours=23)  # Stripe forgets idempotency keys after 24: then an order may not be given again

Order = TypeVar("Order", Payment, Refund)


def record_payment(*, subject: str, mode: str, amount: int, currency: str, reference: str, by: Actor) -> Payment:
    """Note money that was taken elsewhere (`pos`, `external`)."""
    return Payment.objects.create(
        organization=by.organization,
        subject=subject,
        mode=mode,
        amount=amount,
        currency=currency,
        reference=reference,
        succeeded_at=timezone.now(),
    )


def begin_payment(
    *, subject: str, amount: int, currency: str, payment_method: str, purpose: Mapping[str, Any], now: dt.datetime, by: Actor
) -> Payment:
    """The order to Stripe, to be carried out once it is committed. It replaces what is still open for the subject.

    Raises PaymentModeUnavailable.
    """
    account_of(by.organization)
    drop_payments(subject=subject, now=now)
    return Payment.objects.create(
        organization=by.organization,
        subject=subject,
        mode=Payment.Mode.STRIPE,
        status=Payment.Status.CREATING,
        amount=amount,
        currency=currency,
        payment_method=payment_method,
        purpose=dict(purpose),
        check_at=now + FIRST_CHECK,
    )


def drop_payments(*, subject: str, now: dt.datetime) -> None:
    """What is still open is no longer wanted: canceled at Stripe soon, or given back if the payer was quicker."""
    if Payment.objects.of(subject).open().filter(unwanted=False).update(unwanted=True, check_at=now, checks=0):
        jobs.ring_after_commit(WORK_OFF)


def advance_payment(payment: Payment) -> Intent:
    """Stripe's answer to the order. Outside any transaction: the intent's id is on the row before anything is charged.

    Raises ProviderUnavailable, PaymentRefused.
    """
    if not payment.intent and _is_too_old(payment):
        raise PaymentRefused("Stripe has not answered for a day.", provider_code="unanswered")
    gateway = Gateway(account_of(payment.organization))
    found = gateway.set_up(payment)
    if not payment.intent:
        Payment.objects.filter(pk=payment.pk, intent="").update(intent=found.id)
    return gateway.advance(payment, found)


def note_intent(payment: Payment, intent: Intent, *, now: dt.datetime) -> None:
    """Write onto the locked row what Stripe says."""
    payment.intent, payment.status = intent.id, intent.status
    payment.charge = intent.charge or payment.charge
    payment.failure_code, payment.failure_message = intent.failure_code, intent.failure_message
    payment.failed_charge = intent.failed_charge
    if payment.status == Payment.Status.SUCCEEDED:
        payment.succeeded_at = now
    payment.check_at = None if payment.is_settled else now + CHECK_AFTER[min(payment.checks, len(CHECK_AFTER) - 1)]
    payment.version += 1
    payment.save()


def forget_purpose(payment: Payment) -> None:
    """What waited for the money has been done, or never will be; it may hold personal data."""
    if payment.purpose.pop("change", None):
        payment.save(update_fields=["purpose"])


def stop_looking(order: Payment | Refund) -> None:
    """It is settled: there is nothing more to learn."""
    if order.check_at is not None:
        order.check_at = None
        order.save(update_fields=["check_at"])


def note_refusal(payment: Payment, *, code: str, message: str) -> None:
    """Stripe takes no such order: there is nothing to pay any more."""
    payment.status, payment.failure_code, payment.failure_message = Payment.Status.CANCELED, code[:100], message[:500]
    payment.check_at = None
    payment.version += 1
    payment.save()


def request_refund(
    *, subject: str, amount: int, purpose: Refund.Purpose, now: dt.datetime, reason: str = "", payment: Payment | None = None
) -> list[Refund]:
    """Give `amount` (minor units) back, out of the newest payments first, or out of the one named. One refund per payment
    touched; those through Stripe are ordered once this is committed.

    Raises RefundExceedsPaid: the refunds of a subject never exceed what was paid for it.
    """
    refunds = []
    rest = amount
    payments = Payment.objects.of(subject).succeeded().order_by("-pk").select_for_update()
    for source in payments.filter(pk=payment.pk) if payment else payments:
        share = min(rest, source.amount - refunded(source))
        if share > 0:
            refunds.append(_refund(source, share, purpose=purpose, reason=reason, now=now))
            rest -= share
    if rest > 0:
        raise RefundExceedsPaid(refundable=amount - rest)
    return refunds


def _refund(payment: Payment, amount: int, *, purpose: Refund.Purpose, reason: str, now: dt.datetime) -> Refund:
    through_stripe = payment.mode == Payment.Mode.STRIPE
    if through_stripe:
        jobs.ring_after_commit(WORK_OFF)
    payment.version += 1
    payment.save(update_fields=["version", "updated_at"])
    return Refund.objects.create(
        payment=payment,
        organization=payment.organization,
        subject=payment.subject,
        status=Refund.Status.PENDING if through_stripe else Refund.Status.SUCCEEDED,
        amount=amount,
        currency=payment.currency,
        purpose=purpose,
        reason=reason,
        succeeded_at=None if through_stripe else now,
        check_at=now if through_stripe else None,
    )


def advance_refund(refund: Refund) -> GivenBack:
    """Stripe's answer to the order. Outside any transaction. Raises ProviderUnavailable, PaymentRefused."""
    return Gateway(account_of(refund.organization)).give_back(refund, may_order=not _is_too_old(refund))


def _is_too_old(order: Payment | Refund) -> bool:
    """Given again after Stripe has forgotten the key, it might be carried out twice."""
    return timezone.now() - order.created_at > KEYS_LAST


def note_refund(refund: Refund, given_back: GivenBack, *, now: dt.datetime) -> None:
    """Write onto the locked row what Stripe says."""
    refund.stripe_id = given_back.id or refund.stripe_id
    refund.status, refund.failure = given_back.status, given_back.failure
    if refund.status == Refund.Status.SUCCEEDED:
        refund.succeeded_at = refund.succeeded_at or now
    pending = refund.status == Refund.Status.PENDING
    refund.check_at = now + CHECK_AFTER[min(refund.checks, len(CHECK_AFTER) - 1)] if pending else None
    refund.save()


def refunded(payment: Payment) -> int:
    """What has been given back out of the payment or is about to be, in minor units."""
    return payment.refunds.standing().aggregate(total=Sum("amount"))["total"] or 0


def refundable(payment: Payment) -> int:
    """What may still be given back out of it, in minor units."""
    current = Payment.objects.succeeded().filter(pk=payment.pk).first()
    return current.amount - refunded(current) if current else 0


def warn_of_failed_refund(refund: Refund) -> None:
    """Have the owners told: money that they believe to be gone is still here."""
    jobs.after_commit("payments.tasks.tell_owners_of_failed_refund", refund.pk)


@transaction.atomic
def due_for_a_look(orders: "models.QuerySet[Order]", *, now: dt.datetime, limit: int) -> list[Order]:
    """Orders whose `check_at` has come, put off before anybody looks: another worker finds them only if this one vanishes."""
    due = orders.filter(check_at__lte=now).order_by("check_at").select_related("organization")
    found = list(due.select_for_update(skip_locked=True, of=("self",))[:limit])
    for order in found:
        order.check_at = now + max(FIRST_CHECK, CHECK_AFTER[min(order.checks, len(CHECK_AFTER) - 1)])
        order.checks += 1
        order.save(update_fields=["check_at", "checks"])
    return found


def look_soon(*, intent: str = "", refund: str = "", own_account_of: int | None = None, connected_account: str = "") -> None:
    """Stripe tells that something happened to one of its objects: what it was is asked anew, so that order and repetition do
    not matter. `intent` means its refunds on the way too, whose ids at Stripe we may not know yet.

    `own_account_of` is the organization whose own secret has signed it. Without one the platform's has, which speaks for no
    account that is another's: of `connected_account`, or of the platform's own where that is empty.
    """
    if own_account_of is None:
        own = StripeAccount.objects.exclude(webhook_secret="", connected_account="")
        theirs = own.filter(webhook_secret="", connected_account=connected_account) if connected_account else own
        told_of = Q(organization__in=theirs.values("organization"))
        told_of = told_of if connected_account else ~told_of
    else:
        told_of = Q(organization=own_account_of)
    looks: list[models.QuerySet[Any]] = []
    if intent:  # a settled payment stays as it is: there is nothing to look for
        looks.append(Payment.objects.open().filter(told_of, intent=intent))
        looks.append(Refund.objects.filter(told_of, payment__intent=intent, status=Refund.Status.PENDING))
    if refund:
        looks.append(Refund.objects.filter(told_of, stripe_id=refund))
    found = [rows.update(check_at=Now(), checks=0) for rows in looks]
    if any(found):
        jobs.ring_after_commit(WORK_OFF)


@transaction.atomic
def set_stripe_account(
    *, by: Actor, secret_key: str | None = None, webhook_secret: str | None = None, **fields: str
) -> StripeAccount:
    """Change what is given; secrets are kept encrypted, and an empty one goes back to the platform's. The audit trail names
    what was changed, never to what. Raises NotAdministrator.
    """
    require_administrator(by)
    account, _ = StripeAccount.objects.get_or_create(organization=by.organization)
    changed = [name for name, text in fields.items() if getattr(account, name) != text]
    for name, value in {"secret_key": secret_key, "webhook_secret": webhook_secret}.items():
        if value is not None:
            setattr(account, name, encrypt(value) if value else "")
            changed.append(name)
    for name, text in fields.items():
        setattr(account, name, text)
    account.save()
    record(by, "stripe_account.changed", by.organization.public_id, fields=sorted(changed))
    return account

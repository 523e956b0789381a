"""What is done to a booking after a look at what it means: each page tells first, and its POST does it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render

from bookings.models import Booking, Quote
from bookings.services import (
    RefundChoice,
    cancel_booking,
    change_booking,
    confirm_booking,
    possible,
    preview_cancellation,
    quote_change,
    refund_booking,
    refund_summary,
)
from common.errors import DomainError, VersionConflict
from dashboard.access import PageRequest, page
from dashboard.forms.bookings import CancelForm, GuestsForm, PayForm, RefundForm
from dashboard.forms.errors import refused
from dashboard.forms.fields import plain_amount
from dashboard.templatetags.ui import money
from dashboard.views.booking import LOOK_AGAIN, find_booking, to_booking
from dashboard.views.bookings import name_of
from organizations.permissions import Scope

WRITES = ("GET", "POST")
Status = Booking.Status


@page(Scope.BOOKINGS_WRITE, methods=WRITES)
def booking_confirm(request: PageRequest, public_id: str) -> HttpResponse:
    """Make a hold firm, paid or not; one that has run out needs money. Takes back a check-in or a no-show."""
    found = find_booking(request, public_id)
    was, why_not = found.reads_as, possible(found).confirm
    if was == Status.CONFIRMED or why_not:
        messages.info(request, why_not or "This booking is confirmed already.")
        return to_booking(found)
    undoes = was in (Status.NO_SHOW, Status.CHECKED_IN)
    form = PayForm(
        request.POST or None,
        currency=found.currency,
        required=was == Status.EXPIRED,
        due=max(found.total - found.net_paid, 0),
        initial={"version": found.version, "amount": plain_amount(found.total - found.net_paid, found.currency)},
    )
    if undoes:
        for name in ("paid", "amount", "reference", "excess"):
            form.fields.pop(name, None)
    if request.method == "POST" and form.is_valid():
        payment = None if undoes else form.payment

        def confirm() -> str:
            confirm_booking(booking=found, by=request.actor, payment=payment, expected_version=form.cleaned_data["version"])
            paid = f" {money(payment['amount'], found.currency)} noted." if payment else ""
            return f"{found.reference} is confirmed.{paid}"

        if (done := _done(request, form, found, confirm)) is not None:
            return done
    context = {"booking": found, "form": form, "undoes": undoes, "was": was}
    return render(request, "dashboard/bookings/confirm.html", context, status=422 if form.errors else 200)


@page(Scope.BOOKINGS_WRITE, methods=WRITES)
def booking_pay(request: PageRequest, public_id: str) -> HttpResponse:
    """Note money for a booking that stands."""
    found = find_booking(request, public_id)
    if why_not := possible(found).pay:
        messages.info(request, why_not)
        return to_booking(found)
    form = PayForm(
        request.POST or None,
        currency=found.currency,
        required=True,
        due=found.amount_due,
        initial={"version": found.version, "amount": plain_amount(found.amount_due, found.currency) if found.amount_due else ""},
    )
    if request.method == "POST" and form.is_valid():
        payment = form.payment or {}

        def pay() -> str:
            version = form.cleaned_data["version"]
            change_booking(booking=found, by=request.actor, payment=payment, expected_version=version)
            return f"{money(payment['amount'], found.currency)} noted for {found.reference}."

        if (done := _done(request, form, found, pay)) is not None:
            return done
    return render(request, "dashboard/bookings/pay.html", {"booking": found, "form": form}, status=422 if form.errors else 200)


@page(Scope.BOOKINGS_CANCEL, methods=WRITES)
def booking_cancel(request: PageRequest, public_id: str) -> HttpResponse:
    """What goes back is told before, and no other sum goes back."""
    found = find_booking(request, public_id)
    if found.reads_as == Status.CANCELED:
        messages.info(request, "This booking is canceled already.")
        return to_booking(found)
    quote = preview_cancellation(by=request.actor, booking=found)
    back = money(quote.refund, found.currency)
    choices = [("policy", f"By the policy: {back}")]
    if Scope.REFUNDS_WRITE in request.actor.scopes:
        if quote.refund < found.net_paid:
            choices.append(("full", f"Everything: {money(found.net_paid, found.currency)}"))
        if quote.refund:
            choices.append(("none", "Nothing"))
    first = {"version": found.version, "refund": "policy", "policy_refund": quote.refund}
    form = CancelForm(request.POST or None, initial=first, choices=choices)
    if request.method == "POST" and form.is_valid():
        choice: RefundChoice = form.cleaned_data["refund"] or "policy"

        def cancel() -> str:
            asked = form.cleaned_data
            canceled = cancel_booking(
                booking=found, by=request.actor, refund=choice, reason=asked["reason"], expected_version=asked["version"]
            )
            given = refund_summary(canceled)
            money_back = f"{money(given['amount'], found.currency)} goes back." if given else "Nothing goes back."
            return f"Booking {found.reference} is canceled. {money_back}"

        if choice == "policy" and form.cleaned_data["policy_refund"] not in (None, quote.refund):
            form.add_error(None, f"By the policy {back} goes back now. Please look again.")
            form.data = {**request.POST.dict(), "policy_refund": quote.refund}
        elif (done := _done(request, form, found, cancel)) is not None:
            return done
    context = {"booking": found, "form": form, "quote": quote, "back": back, "choices": [choice for choice, _ in choices]}
    return render(request, "dashboard/bookings/cancel.html", context, status=422 if form.errors else 200)


@page(Scope.REFUNDS_WRITE, methods=WRITES)
def booking_refund(request: PageRequest, public_id: str) -> HttpResponse:
    """Give money back while the booking stands, whatever the policy says."""
    found = find_booking(request, public_id)
    if not found.net_paid:
        messages.info(request, "There is nothing to give back.")
        return to_booking(found)
    first = {"version": found.version, "amount": plain_amount(found.net_paid, found.currency)}
    form = RefundForm(request.POST or None, currency=found.currency, initial=first)
    if request.method == "POST" and form.is_valid():

        def refund() -> str:
            asked = form.cleaned_data
            refund_booking(
                booking=found, by=request.actor, amount=asked["amount"], reason=asked["reason"], expected_version=asked["version"]
            )
            return f"{money(asked['amount'], found.currency)} goes back to {name_of(found)}."

        if (done := _done(request, form, found, refund)) is not None:
            return done
    return render(request, "dashboard/bookings/refund.html", {"booking": found, "form": form}, status=422 if form.errors else 200)


@page(Scope.BOOKINGS_WRITE, methods=WRITES)
def booking_guests(request: PageRequest, public_id: str) -> HttpResponse:
    """Who comes and how many. A change of the price is shown first, and made at that price."""
    found = find_booking(request, public_id)
    form = GuestsForm(request.POST or None, booking=found, changeable=not possible(found).change)
    preview = None
    if request.method == "POST" and form.is_valid():
        try:
            quote = _quoted(request, form, found)
            if quote is not None and quote.public_id != form.cleaned_data["quote"]:
                preview = quote
            else:
                changed, _ = change_booking(
                    booking=found,
                    by=request.actor,
                    expected_version=form.cleaned_data["version"],
                    quote=quote,
                    settlement="later",
                    **form.slot,
                    **form.details,
                )
                messages.success(request, "Saved." if changed.version != found.version else "Nothing has changed.")
                return to_booking(found)
        except VersionConflict:
            _look_again(request, form, found)
        except DomainError as error:
            refused(form, error)
    context = {"booking": found, "form": form, "preview": preview}
    return render(request, "dashboard/bookings/guests.html", context, status=422 if form.errors else 200)


def _done(request: PageRequest, form: Any, booking: Booking, act: Callable[[], str]) -> HttpResponse | None:
    """Back to the booking when the act, which says what it did, has been done; None with its refusal on the form."""
    try:
        messages.success(request, act())
        return to_booking(booking)
    except VersionConflict:
        _look_again(request, form, booking)
    except DomainError as error:
        refused(form, error)
    return None


def _look_again(request: PageRequest, form: Any, booking: Booking) -> None:
    """Keep what was typed, on the booking as it is now."""
    form.add_error(None, LOOK_AGAIN)
    form.data = {**request.POST.dict(), "version": booking.version, "quote": ""}


def _quoted(request: PageRequest, form: GuestsForm, booking: Booking) -> Quote | None:
    """The quote that was shown, if it is for this change; a new one where the change costs or gives back something; None
    where it does neither.
    """
    if not form.slot:
        return None
    shown = Quote.objects.visible_to(request.actor).filter(public_id=form.cleaned_data["quote"], booking=booking).first()
    wanted = {"room": booking.room, "starts_at": booking.starts_at, "party_size": booking.party_size, "private": booking.private}
    if shown is not None and shown.holds_for(**{**wanted, **form.slot}):
        return shown
    quote = quote_change(by=request.actor, booking=booking, **form.slot)
    return quote if (quote.price["total"], quote.refund) != (booking.total, 0) else None

"""The box at the top: a booking by its reference, or bookings and customers by the beginnings of words."""

import re

from django.http import HttpResponse
from django.shortcuts import redirect, render

from bookings.models import REFERENCE_ALPHABET, REFERENCE_LETTERS, Booking
from customers.models import Customer
from dashboard.access import PageRequest, page
from organizations.permissions import Scope

MOST = 20  # of each
LONGEST, SHORTEST = 200, 2  # letters
_REFERENCE = re.compile(f"[{REFERENCE_ALPHABET}]{{{REFERENCE_LETTERS}}}")


@page(Scope.BOOKINGS_READ, Scope.CUSTOMERS_READ)
def search(request: PageRequest) -> HttpResponse:
    typed = request.GET.get("q", "").strip()[:LONGEST]
    if exact := _by_reference(request, typed):
        return redirect("dashboard:booking", exact.public_id)
    bookings: list[Booking] = []
    customers: list[Customer] = []
    if len(typed) >= SHORTEST:
        found = Booking.objects.found_by(typed, by=request.actor).with_related()
        bookings = list(found[: MOST + 1])
        customers = list(Customer.objects.found_by(typed, by=request.actor)[: MOST + 1])
    context = {
        "typed": typed,
        "bookings": bookings[:MOST],
        "customers": customers[:MOST],
        "more_bookings": len(bookings) > MOST,
        "more_customers": len(customers) > MOST,
        "too_short": 0 < len(typed) < SHORTEST,
    }
    return render(request, "dashboard/bookings/search.html", context)


def _by_reference(request: PageRequest, typed: str) -> Booking | None:
    """As it is read out or copied: in any case, with spaces and dashes. Or an id."""
    reference = re.sub(r"[\s-]", "", typed).upper()
    if not _REFERENCE.fullmatch(reference) and not typed.startswith("bkg_"):
        return None
    return Booking.objects.visible_to(request.actor).named(typed if typed.startswith("bkg_") else reference).first()

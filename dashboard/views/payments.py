"""Money: what came, what is under way, what failed, what went back."""

from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone

from bookings import ledger
from bookings.models import Booking
from dashboard.access import PageRequest, page
from dashboard.forms.payments import PeriodForm
from dashboard.paging import CURSOR, page_of
from organizations.permissions import Scope
from payments.filters import PaymentFilters
from payments.models import Payment

# As owners ask for them; each stands for statuses of the API's filter.
VIEWS = {
    "all": ("All", ()),
    "received": ("Received", (Payment.Status.SUCCEEDED,)),
    "waiting": (
        "Under way",
        (Payment.Status.CREATING, Payment.Status.PENDING, Payment.Status.REQUIRES_ACTION, Payment.Status.PROCESSING),
    ),
    "failed": ("Failed", (Payment.Status.FAILED,)),
}


@page(Scope.PAYMENTS_READ)
def payments(request: PageRequest) -> HttpResponse:
    view = request.GET.get("view", "all") if request.GET.get("view", "all") in VIEWS else "all"
    data = {name: request.GET[name] for name in ("date_from", "date_to", "mode") if request.GET.get(name)}
    every = _with_booking(Payment.objects.with_refunds().visible_to(request.actor))
    filters = PaymentFilters({**data, "status": ",".join(VIEWS[view][1])}, queryset=every)
    errors = [f"{name}: {error}" for name, found in filters.errors.items() for error in found]
    links = request.GET.copy()
    links.pop(CURSOR, None)
    chips = []
    for name, (label, _) in VIEWS.items():
        links["view"] = name
        chips.append({"label": label, "url": f"?{links.urlencode()}", "active": name == view})
    context = {
        "pager": page_of(every.none() if errors else filters.qs, request, sorts=("-created_at",)),
        "errors": errors,
        "chips": chips,
        "view": view,
        "form": PeriodForm(initial=request.GET.dict()),
        "filtered": bool(data) or view != "all",
    }
    return render(request, "dashboard/payments/payments.html", context, status=422 if errors else 200)


@page(Scope.PAYMENTS_READ)
def payments_export(request: PageRequest) -> HttpResponseBase:
    """Every movement of money in the period, refunds included, as CSV for bookkeeping."""
    form = PeriodForm(request.GET)
    if not form.is_valid():
        refused = {"form": form, "pager": None, "filtered": True, "errors": ["Nothing was exported: look at the period."]}
        return render(request, "dashboard/payments/payments.html", refused, status=422)
    lines = ledger.lines(by=request.actor, date_from=form.cleaned_data["date_from"], date_to=form.cleaned_data["date_to"])
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="payments-{timezone.now():%Y-%m-%d}.csv"'
    return response


def _with_booking(found: Any) -> Any:
    """With the reference and the guest's name of what was paid for."""
    booking = Booking.objects.filter(public_id=OuterRef("subject"))
    return found.annotate(
        booking_reference=Subquery(booking.values("reference")[:1]), guest=Subquery(booking.values("contact__name")[:1])
    )

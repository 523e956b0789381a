"""Who comes: the list, a person's page, what is kept of them, and its end."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from bookings.models import Booking
from bookings.services import customer_stats, erase_customer, export_customer
from common import money, sheets
from common.errors import DomainError
from common.walltime import utc_text
from customers.filters import CustomerFilters
from customers.models import Customer
from customers.services import create_customer, update_customer
from dashboard.access import PageRequest, page
from dashboard.forms.customers import CustomerForm
from dashboard.paging import page_of
from organizations.permissions import Scope

SORTS = ("-created_at", "updated_at", "name")
LAST_BOOKINGS = 10
COLUMNS = ("id", "name", "email", "phone", "language", "tags", "marketing_consent", "marketing_consent_at", "notes", "created_at")


@page(Scope.CUSTOMERS_READ)
def customers(request: PageRequest) -> HttpResponse:
    found, errors = _found(request)
    pager = page_of(found, request, sorts=SORTS)
    tag = request.GET.get("tag", "")
    context = {
        "pager": pager,
        "errors": errors,
        "filtered": bool(set(request.GET) & {"q", "tag"}),
        "applied": [{"label": f"Tag: {tag}", "url": "?", "remove": True}] if tag else [],
    }
    return render(request, "dashboard/customers/customers.html", context, status=422 if errors else 200)


@page(Scope.CUSTOMERS_READ)
def customers_export(request: PageRequest) -> HttpResponseBase:
    """The list as the filters have it, all of it, as CSV."""
    found, errors = _found(request)
    if errors:
        messages.error(request, " ".join(errors))
        return redirect("dashboard:customers")
    rows = found.order_by("created_at", "pk").iterator(sheets.CHUNK)
    response = StreamingHttpResponse(sheets.lines(COLUMNS, _cells(rows)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="customers-{timezone.now():%Y-%m-%d}.csv"'
    return response


@page(Scope.CUSTOMERS_WRITE, methods=("GET", "POST"))
def new_customer(request: PageRequest) -> HttpResponse:
    form = CustomerForm(request.POST if request.method == "POST" else None, by=request.actor)
    if request.method == "POST" and form.is_valid():
        try:
            customer = create_customer(by=request.actor, **form.values)
        except DomainError as error:
            form.refused(error)
        else:
            messages.success(request, f"{customer} is a customer now.")
            return redirect("dashboard:customer", customer.public_id)
    return render(request, "dashboard/customers/edit_customer.html", {"form": form}, status=422 if form.errors else 200)


@page(Scope.CUSTOMERS_READ)
def customer(request: PageRequest, public_id: str) -> HttpResponse:
    person = _find(request, public_id)
    context: dict[str, Any] = {"customer": person}
    if Scope.BOOKINGS_READ in request.actor.scopes:
        latest = Booking.objects.visible_to(request.actor).filter(customer=person).with_related().order_by("-starts_at", "-pk")
        rows, stats = list(latest[: LAST_BOOKINGS + 1]), customer_stats(person)
        context |= {"bookings": rows[:LAST_BOOKINGS], "more": len(rows) > LAST_BOOKINGS, "stats": stats}
        context["spent"] = ", ".join(money.text(amount, currency) for currency, amount in stats["spent"].items()) or "Nothing yet"
        context["first"], context["last"] = (
            parse_datetime(stats[name] or "") for name in ("first_booking_at", "last_booking_at")
        )
    return render(request, "dashboard/customers/customer.html", context)


@page(Scope.CUSTOMERS_WRITE, methods=("GET", "POST"))
def customer_edit(request: PageRequest, public_id: str) -> HttpResponse:
    person = _find(request, public_id)
    form = CustomerForm.of(person, by=request.actor, data=request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            update_customer(customer=person, by=request.actor, expected_version=form.cleaned_data["version"], **form.values)
        except DomainError as error:
            form.refused(error)
        else:
            messages.success(request, f"{person} is saved.")
            return redirect("dashboard:customer", person.public_id)
    context = {"form": form, "customer": person}
    return render(request, "dashboard/customers/edit_customer.html", context, status=422 if form.errors else 200)


@page(Scope.CUSTOMERS_READ, Scope.BOOKINGS_READ)
def customer_export(request: PageRequest, public_id: str) -> HttpResponse:
    """All that is kept about the person, to hand over."""
    person = _find(request, public_id)
    answer = JsonResponse(
        export_customer(customer=person, by=request.actor), json_dumps_params={"indent": 2, "ensure_ascii": False}
    )
    answer["Content-Disposition"] = f'attachment; filename="{person.public_id}.json"'
    return answer


@page(Scope.CUSTOMERS_WRITE, methods=("GET", "POST"))
def customer_erase(request: PageRequest, public_id: str) -> HttpResponse:
    person = _find(request, public_id)
    problem = ""
    if request.method == "POST":
        try:
            erase_customer(customer=person, by=request.actor)
        except DomainError as error:
            problem = error.detail
        else:
            messages.success(request, "The customer is erased. Their bookings and payments stay, without a name.")
            return redirect("dashboard:customers")
    context = {"customer": person, "problem": problem}
    return render(request, "dashboard/customers/erase_customer.html", context, status=409 if problem else 200)


def _find(request: PageRequest, public_id: str) -> Customer:
    found = Customer.objects.visible_to(request.actor).find(public_id)
    assert isinstance(found, Customer)
    return found


def _found(request: PageRequest) -> tuple[Any, list[str]]:
    """The customers that the filters leave, or none and why. What is typed is looked up by beginnings of words, by index."""
    every = Customer.objects.visible_to(request.actor)
    typed = request.GET.get("q", "").strip()
    if typed:
        every = every.found_by(typed, by=request.actor)
    data = {name: value for name, value in request.GET.items() if name == "tag" and value}
    filters = CustomerFilters(data, queryset=every, request=SimpleNamespace(user=request.actor))
    if not filters.is_valid():  # type: ignore[no-untyped-call]
        return every.none(), [f"{name}: {error}" for name, errors in filters.errors.items() for error in errors]
    return filters.qs, []


def _cells(rows: Any) -> Iterator[tuple[Any, ...]]:
    for one in rows:
        texts = (one.name, one.email or "", one.phone or "", one.language, ", ".join(one.tags))
        consent = (str(one.marketing_consent).lower(), utc_text(one.marketing_consent_at) or "")
        yield (one.public_id, *map(sheets.harmless, texts), *consent, sheets.harmless(one.notes), utc_text(one.created_at))

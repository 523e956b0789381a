"""Every component in every tone and state, for those who build pages. In development only."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from common.money import text as money_text
from dashboard import charts
from dashboard.forms.widgets import DateInput, DateTimeInput, TimeInput

WEEK = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
COLOURS = [
    "ground",
    "surface",
    "sunken",
    "line",
    "line-strong",
    "ink",
    "ink-soft",
    "accent",
    "accent-soft",
    "accent-ink",
    "good",
    "good-soft",
    "warn",
    "warn-soft",
    "bad",
    "bad-soft",
    "info",
    "info-soft",
    "held",
    "held-soft",
    "blocked",
    "blocked-soft",
    "code-ground",
    "code-ink",
]
DAYS = [f"{day} Nov" for day in range(1, 31)]
CURL = """curl https://bookings.example/api/v1/public/bookings \\
  -H "Authorization: Bearer $BOOKINGFLOW_KEY" \\
  -d '{"room": "room_8m2x", "starts_at": "2026-11-28T19:00:00Z", "party_size": 4}'"""


class SampleForm(forms.Form):
    """A field of each kind."""

    ROOMS = (("vault", "The Vault"), ("cove", "Smuggler's Cove"), ("dome", "The Dome"))

    name = forms.CharField(help_text="As your guests know you.")
    email = forms.EmailField(label="E-mail", required=False)
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    room = forms.ChoiceField(choices=ROOMS)
    players = forms.IntegerField(min_value=2, max_value=6, help_text="2 to 6.")
    day = forms.DateField(widget=DateInput, required=False)
    time = forms.TimeField(widget=TimeInput, required=False)
    until = forms.DateTimeField(widget=DateTimeInput, required=False, help_text="Europe/Paris time.")
    color = forms.ChoiceField(label="Payment", choices=(("now", "Now"), ("there", "At the venue")), widget=forms.RadioSelect)
    rooms = forms.MultipleChoiceField(
        choices=ROOMS, widget=forms.CheckboxSelectMultiple, required=False, help_text="None means every room."
    )
    consent = forms.BooleanField(label="May be sent news", required=False, help_text="They can change their mind.")
    locked = forms.CharField(initial="Only on the Pro plan", disabled=True, required=False)


@require_safe
def components(request: HttpRequest) -> HttpResponse:
    if not settings.DEVELOPMENT:
        raise Http404
    if "toast" in request.GET:
        messages.success(request, "Booking K7X2-9QMD canceled. €90.00 goes back.")
        messages.warning(request, "The room has no prices for Sundays.")
        messages.error(request, "Stripe did not answer. Nothing was charged.")
    return render(request, "components/gallery.html", {**_frame(request), **samples()})


def _frame(request: HttpRequest) -> dict[str, Any]:
    """What the frame shows of the one who is signed in; here nobody has to be."""
    alpha, beta = (
        SimpleNamespace(organization_id=number, organization=SimpleNamespace(name=name, public_id=f"org_{name}"))
        for number, name in enumerate(("Locked In Paris", "Le Grand Escape de Montmartre et Environs"))
    )
    return {
        "organization": alpha.organization,
        "membership": alpha,
        "memberships": [alpha, beta],
        "mode": "test" if request.GET.get("mode") == "test" else "live",
        "section": "home",
        "may": {"bookings_write": True},
    }


def samples() -> dict[str, Any]:
    """Inputs for each component, by its name."""
    now = timezone.now()
    return {
        "colours": COLOURS,
        "notices": [
            {"tone": "good", "title": "Connected.", "text": "Stripe answered in 0.2 s."},
            {"tone": "info", "text": "Times are shown in Europe/Paris.", "url": "#notice", "label": "Change"},
            {"tone": "warn", "title": "Two bookings are hit.", "text": "Their guests are not told by themselves."},
            {"tone": "bad", "title": "The endpoint is disabled.", "text": "It answered 500 for three days."},
        ],
        "form": SampleForm(),
        "wrong_form": SampleForm({"players": "9", "email": "ada@", "day": "never", "room": "attic"}, auto_id="wrong_%s"),
        "bars": charts.bars("Bookings a day", WEEK, charts.Series("This week", [4, 6, 5, 8, 12, 19, 15]), unit="Day"),
        "compared": charts.bars(
            "Revenue a day",
            WEEK,
            charts.Series("This week", [36000, 54000, 45000, 72000, 108000, 171000, 135000]),
            charts.Series("Last week", [30000, 51000, 49000, 60000, 99000, 150000, 141000], tone="quiet"),
            text=lambda amount: money_text(int(amount), "EUR"),
        ),
        "line": charts.line(
            "Requests a day",
            DAYS,
            charts.Series("Answered", [(day * 7919) % 900 + 300 for day in range(30)]),
            charts.Series("Month before", [(day * 6011) % 500 + 300 for day in range(30)], tone="quiet"),
        ),
        "no_chart": charts.bars("Refunds a day", WEEK, charts.Series("Refunds", [0] * 7)),
        "items": [
            {"label": "Day", "url": "?view=day", "active": True},
            {"label": "Week", "url": "?view=week", "active": False},
            {"label": "Needs you", "url": "?view=todo", "active": False, "count": 3},
        ],
        "filters": [
            {"label": "Confirmed", "url": "?status=confirmed", "active": True},
            {"label": "Held", "url": "?status=held", "active": False},
            {"label": "Canceled", "url": "?status=canceled", "active": False},
            {"label": "Room: The Vault", "url": "?", "remove": True},
        ],
        "pager": {"prev_cursor": "before", "next_cursor": "after"},
        "pairs": [("Room", "The Vault"), ("Start", "Sat 28 Nov, 20:00"), ("Players", 4), ("Note", "")],
        "prices": [("4 players", "€100.00"), ("Saturday, +20 %", "€20.00"), ("Voucher SPOOKY", "−€30.00"), ("Total", "€90.00")],
        "entries": [
            {"title": "Paid €90.00", "when": now, "actor": "Stripe", "icon": "check", "tone": "good"},
            {
                "title": "Moved to Sat 28 Nov, 20:00",
                "text": "From Fri 27 Nov, 18:00. The price stays.",
                "when": now - dt.timedelta(hours=3),
                "actor": "Alice",
                "icon": "arrow-right",
                "tone": "info",
            },
            {
                "title": "Held for 10 minutes",
                "when": now - dt.timedelta(days=1),
                "actor": "Key “Website”",
                "icon": "clock",
                "tone": "held",
            },
        ],
        "zone": "Europe/Paris",
        "code": CURL,
        "lines": ["The slot is free again at once.", "€90.00 goes back to the card ending in 4242, within five days."],
        "fields": [("version", 3)],
    }

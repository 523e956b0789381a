"""The pages that a browser looks at: outside the dashboard, the dashboard's as its owner opens them, some in other states."""

from dashboard.tests.access_table import PAGES

PUBLIC = [
    "/",
    "/developers",
    "/backend/docs/",
    "/backend/docs/reference/bookings",
    "/backend/docs/webhooks",
    "/backend/docs/search?q=hold",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/confirm-email/",
    "/mail",
]
ACCOUNT = [
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/sessions/",
    "/accounts/logout/",
    "/dashboard/organizations/new",
]
# Parts of pages and files to keep.
FILES = {"booking_calendar", "bookings_export", "customers_export", "customer_export", "payments_export"}
NOT_WHOLE = {"home_live", "calendar_live", *FILES}
IN_OTHER_STATES = [
    "/dashboard?weeks=12",
    "/dashboard/calendar/week?room={room}",
    "/dashboard/bookings?when=all",
    "/dashboard/bookings?when=all&q=nobody",
    "/dashboard/bookings/{paid}",
    "/dashboard/bookings/{held}",
    "/dashboard/bookings/{begun}",
    "/dashboard/bookings/new?room={room}",
    "/dashboard/rooms?status=archived",
    "/dashboard/blocks?when=past",
    "/dashboard/blocks/new?room={room}&from=2027-01-05T18:00&to=2027-01-05T20:00",
    "/dashboard/search?q=ada",
    "/dashboard/settings/developers/webhooks/{endpoint}/replay?since=2026-01-01T00:00",
    "/dashboard/settings/developers/playground?operation=create_booking",
    "/dashboard/settings/developers/playground?operation=cancel_booking&mode=live",
    "/dashboard/settings/developers/snippets?language=python",
    "/dashboard/settings/developers/agents?client=claude-desktop",
]


def dashboard(ids: dict[str, str]) -> list[str]:
    whole = [page for page in PAGES if page.post is None and page.ok == 200 and page.name not in NOT_WHOLE]
    return [page.path(ids) for page in whole] + [path.format(**ids) for path in IN_OTHER_STATES]

"""Every page of the dashboard, once: who may open it, and whose id stands in its path."""

from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse


@dataclass(frozen=True)
class Page:
    """`id`: the name of the object (tests/security/routes.py::furnish, and dashboard/tests/conftest.py) whose id is in the path;
    `reader`: whether a read-only member may; `post`: it takes POST alone, with this body; `query`: behind the path.
    """

    name: str
    id: str = ""
    reader: bool = True
    post: dict[str, Any] | None = None
    query: str = ""
    ok: int = 200
    parameter: str = "public_id"

    def path(self, ids: dict[str, str], *, public_id: str = "") -> str:
        kwargs = {self.parameter: public_id or ids[self.id]} if self.id else {}
        return reverse(f"dashboard:{self.name}", kwargs=kwargs) + self.query


def writes(name: str, *, id: str = "", post: dict[str, Any] | None = None, query: str = "", ok: int = 200) -> Page:
    """A page that a read-only member may not open."""
    return Page(name, id=id, reader=False, post=post, query=query, ok=ok if post is None else 302)


PAGES = [
    Page("home"),
    Page("home_live"),
    # Getting in
    Page("more"),
    Page("switch", post={"mode": "live"}, ok=302),
    # Calendar
    Page("calendar"),
    Page("calendar_week"),
    Page("calendar_live"),
    writes("move_booking", id="booking"),
    # Bookings
    Page("bookings"),
    Page("bookings_export"),
    writes("bookings_check_in", post={"booking": []}),
    writes("new_booking", query="?form=once"),
    Page("booking", id="booking"),
    writes("booking_confirm", id="held"),
    writes("booking_pay", id="booking"),
    writes("booking_extend", id="held", post={}),
    writes("booking_check_in", id="begun", post={}),
    writes("booking_no_show", id="begun", post={}),
    writes("booking_cancel", id="booking"),
    writes("booking_refund", id="paid"),
    writes("booking_guests", id="booking"),
    writes("booking_note", id="booking", post={"notes_internal": "VIP"}),
    Page("booking_calendar", id="booking"),
    Page("search"),
    # Rooms
    Page("rooms"),
    writes("new_room"),
    Page("room", id="room"),
    *(writes(f"room_edit_{section}", id="room") for section in ("basics", "party", "schedule", "price", "policy", "rules")),
    replace(writes("room_preview", id="room", post={}, query="?section=schedule"), ok=200),
    writes("room_archive", id="spare_room"),
    # Blocks
    Page("blocks"),
    writes("new_block"),
    writes("block", id="block"),
    writes("block_delete", id="block"),
    # Customers
    Page("customers"),
    Page("customers_export"),
    writes("new_customer"),
    Page("customer", id="customer"),
    writes("customer_edit", id="customer"),
    Page("customer_export", id="customer"),
    writes("customer_erase", id="spare_customer"),
    # Payments
    Page("payments"),
    Page("payments_export"),
    # Settings
    Page("settings", ok=302),
    Page("settings_organization"),
    Page("settings_plan"),
    writes("settings_payments"),
    writes("settings_payments_test", post={}),
    writes("settings_payments_forget", post={}),
    writes("settings_audit"),
    Page("settings_venues"),
    writes("new_venue"),
    writes("settings_venue", id="venue"),
    writes("settings_venue_delete", id="spare_venue"),
    Page("settings_policies"),
    writes("settings_members"),
    writes("settings_member_invite"),
    writes("settings_member", id="member"),
    writes("settings_member_remove", id="member"),
    writes("settings_invitation_resend", id="invitation", post={}),
    writes("settings_invitation_revoke", id="invitation"),
    # Settings → Developers
    Page("developers_playground"),
    Page("playground_curl", post={"operation": "list_rooms"}),
    Page("playground_token", post={"operation": "list_rooms"}),
    Page("playground_run", post={"operation": "list_rooms"}),
    Page("developers_snippets"),
    Page("developers_agents"),
    Page("developers"),
    writes("developers_keys"),
    writes("new_key"),
    writes("developers_key", id="key"),
    writes("key_edit", id="key"),
    writes("key_rotate", id="key"),
    writes("key_revoke", id="key"),
    writes("key_secret_revoke", id="key"),
    Page("developers_webhooks"),
    writes("new_endpoint"),
    Page("delivery", id="delivery"),
    writes("delivery_resend", id="delivery", post={}),
    Page("replay", id="replay"),
    writes("replay_cancel", id="replay", post={}),
    Page("endpoint", id="endpoint"),
    writes("endpoint_edit", id="endpoint"),
    writes("endpoint_rotate", id="endpoint"),
    writes("endpoint_pause", id="endpoint", post={}),
    writes("endpoint_enable", id="endpoint"),
    writes("endpoint_delete", id="endpoint"),
    writes("endpoint_ping", id="endpoint", post={}),
    writes("endpoint_test", id="endpoint"),
    writes("endpoint_replay", id="endpoint"),
    Page("developers_calendars"),
    writes("new_feed"),
    Page("feed", id="feed"),
    writes("feed_edit", id="feed"),
    writes("feed_revoke", id="feed"),
    writes("new_import"),
    Page("calendar_import", id="import"),
    writes("import_edit", id="import"),
    writes("import_delete", id="import"),
    writes("import_sync", id="import", post={}),
    writes("import_pause", id="import", post={}),
    writes("import_resume", id="import", post={}),
    Page("developers_events"),
    Page("developers_event", id="event"),
    writes("developers_log"),
    writes("log_entry", id="log"),
]
# Of the pages that a read-only member may not open, those that the desk may: bookings, customers and blocks.
STAFF = {
    *("move_booking", "bookings_check_in", "new_booking", "booking_confirm", "booking_pay", "booking_extend", "booking_check_in"),
    *("booking_no_show", "booking_cancel", "booking_guests", "booking_note", "new_block", "block", "block_delete"),
    *("new_customer", "customer_edit", "customer_erase"),
}
# Not about an organization, or tested where they are made.
OTHER = {"new_organization", "invitation"}

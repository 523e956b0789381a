"""What one may do: scopes. A role and an API key are both sets of them."""

from django.db import models


class Scope(models.TextChoices):
    """`resource:verb`. `write` implies `read`; `cancel` and refunds are never implied, because money moves."""

    BOOKINGS_READ = "bookings:read", "Read bookings"
    BOOKINGS_WRITE = "bookings:write", "Create and change bookings"
    BOOKINGS_CANCEL = "bookings:cancel", "Cancel bookings, with the refund that the policy grants"
    ROOMS_READ = "rooms:read", "Read venues and rooms"
    ROOMS_WRITE = "rooms:write", "Create, change and archive venues and rooms"
    SCHEDULES_READ = "schedules:read", "Read availability and blocks"
    SCHEDULES_WRITE = "schedules:write", "Create, change and delete blocks"
    CUSTOMERS_READ = "customers:read", "Read customers"
    CUSTOMERS_WRITE = "customers:write", "Create, change and erase customers"
    PAYMENTS_READ = "payments:read", "Read payments and refunds"
    REFUNDS_WRITE = "refunds:write", "Refund an amount of one's own choice"
    WEBHOOKS_READ = "webhooks:read", "Read webhook endpoints and deliveries"
    WEBHOOKS_WRITE = "webhooks:write", "Create and change webhook endpoints"
    EVENTS_READ = "events:read", "Read events"
    CALENDARS_READ = "calendars:read", "Read calendar feeds and imports"
    CALENDARS_WRITE = "calendars:write", "Create and change calendar feeds and imports"
    LOGS_READ = "logs:read", "Read the request log: what every key asked and was answered"


READ_SCOPES = frozenset(scope for scope in Scope if scope.endswith(":read"))
# What comes of itself with being allowed to look: the log shows where from and with what everybody else calls.
LOOKING_SCOPES = READ_SCOPES - {Scope.LOGS_READ}
ALL_SCOPES = frozenset(Scope)


def with_implied(scopes: frozenset[Scope]) -> frozenset[Scope]:
    """The scopes and those that they imply: `x:write` brings `x:read`."""
    implied = {Scope(scope.replace(":write", ":read")) for scope in scopes if scope.replace(":write", ":read") in READ_SCOPES}
    return scopes | implied


class Role(models.TextChoices):
    """A member's part in an organization."""

    OWNER = "owner", "Owner"
    MANAGER = "manager", "Manager"
    STAFF = "staff", "Staff"
    READ_ONLY = "read_only", "Read-only"

    @property
    def scopes(self) -> frozenset[Scope]:
        return _ROLE_SCOPES[self]


_ROLE_SCOPES: dict[Role, frozenset[Scope]] = {
    Role.OWNER: ALL_SCOPES,
    Role.MANAGER: ALL_SCOPES,
    Role.STAFF: LOOKING_SCOPES | {Scope.BOOKINGS_WRITE, Scope.BOOKINGS_CANCEL, Scope.CUSTOMERS_WRITE, Scope.SCHEDULES_WRITE},
    Role.READ_ONLY: LOOKING_SCOPES,
}
# Who may make keys and change members; not a scope, because no key may ever do it.
ADMINISTRATORS = frozenset({Role.OWNER, Role.MANAGER})

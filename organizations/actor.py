"""Who acts: a person, an API key or the system. Every door builds one; services and the audit trail receive it."""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from organizations.errors import NotAllowed, PlanLimit
from organizations.permissions import ALL_SCOPES, Role, Scope

if TYPE_CHECKING:
    from organizations.models import Membership, Organization, User


@dataclass(frozen=True, slots=True)
class Caps:
    """What an API key may do at most, beyond its scopes. None is no cap, and no room is all of them."""

    rooms: frozenset[str] = frozenset()  # public ids
    currency: str = ""  # of the amounts, which are in minor units
    max_amount_per_booking: int | None = None
    max_amount_per_day: int | None = None
    max_open_holds: int | None = None

    @property
    def are_counted(self) -> bool:
        """Whether what was booked before matters, so that only one booking at a time may be looked at."""
        return self.max_amount_per_day is not None or self.max_open_holds is not None


NO_CAPS = Caps()


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts, on whose organization, and with which scopes.

    `type` is user, api_key or system; `id` the public id (`system` for the system itself, an operator's for what one has it do).
    """

    type: str
    id: str
    organization: "Organization"
    scopes: frozenset[Scope]
    withheld: frozenset[Scope] = frozenset()  # granted, but not on the organization's plan
    role: Role | None = None
    caps: Caps = NO_CAPS
    request_id: str = ""
    idempotency_key: str = ""

    @classmethod
    def member(cls, membership: "Membership", *, request_id: str = "", organization: "Organization | None" = None) -> "Actor":
        """On the membership's organization, or on its sandbox twin, where that is given."""
        role, acts_on = Role(membership.role), organization or membership.organization
        return cls("user", membership.user.public_id, acts_on, role.scopes, role=role, request_id=request_id)

    @classmethod
    def system(cls, organization: "Organization") -> "Actor":
        """The product itself: sweeps, commands, demo data."""
        return cls("system", "system", organization, ALL_SCOPES, role=Role.OWNER)

    @classmethod
    def operator(cls, user: "User", organization: "Organization", *, request_id: str = "") -> "Actor":
        """One of us, in the operators' admin. To the organization it is the product that acts; the trail tells who did."""
        return cls("system", user.public_id, organization, ALL_SCOPES, role=Role.OWNER, request_id=request_id)

    def require(self, *scopes: Scope) -> None:
        """Raise NotAllowed (403 insufficient_scope) unless the actor has every one of the scopes; PlanLimit where only
        the organization's plan stands in the way.
        """
        missing = set(scopes) - self.scopes
        if missing and missing <= self.withheld:
            raise PlanLimit("On this organization's plan API keys are read-only.")
        if missing:
            raise NotAllowed(required=scopes, granted=self.scopes)

    def in_request(self, *, request_id: str, idempotency_key: str) -> "Actor":
        return dataclasses.replace(self, request_id=request_id, idempotency_key=idempotency_key)

    def as_json(self) -> dict[str, str]:
        return {"type": self.type, "id": self.id}

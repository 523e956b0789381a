"""Refusals about people, tenants and plans."""

from collections.abc import Collection, Iterable

from common.errors import DomainError, ErrorCode


class NotAllowed(DomainError):
    """The caller lacks a scope; tells which were needed and which are there."""

    code = ErrorCode.INSUFFICIENT_SCOPE

    def __init__(self, *, required: Collection[str], granted: Iterable[str]) -> None:
        super().__init__(
            f"This needs the scope {' and '.join(required)}.",
            required_scopes=[str(scope) for scope in required],
            granted_scopes=sorted(str(scope) for scope in granted),
        )


class NotAdministrator(DomainError):
    """Only an owner or a manager may do this, and never an API key."""

    code = ErrorCode.INSUFFICIENT_SCOPE


class PlanLimit(DomainError):
    """The plan of the organization does not include what was asked for."""

    code = ErrorCode.PLAN_LIMIT


class LastOwner(DomainError):
    """An organization without an owner could never get one again."""

    code = ErrorCode.INVALID_TRANSITION


class InvitationClosed(DomainError):
    """The invitation has been used, was withdrawn, or is too old."""

    code = ErrorCode.INVALID_TRANSITION


class InvitationForAnother(DomainError):
    """It was sent to an address that the signed-in person does not have."""

    code = ErrorCode.INSUFFICIENT_SCOPE

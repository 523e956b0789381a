"""A service's refusal, told where it was typed."""

from django.forms import BaseForm

from common.errors import DomainError, ErrorCode, ValidationFailed

ABOUT_THE_PARTY = (ErrorCode.PARTY_TOO_SMALL, ErrorCode.PARTY_TOO_LARGE, ErrorCode.INSUFFICIENT_SEATS)


def refused(form: BaseForm, error: DomainError) -> None:
    """Each refused field's message on the field of that name, everything else above the form.

    A pointer's first part is the field (`/customer/email` finds `customer_email`, then `customer`).
    """
    if not isinstance(error, ValidationFailed):
        about = "party_size" if error.code in ABOUT_THE_PARTY and "party_size" in form.fields else None
        form.add_error(about, error.detail)
        return
    for one in error.errors:
        parts = [part for part in (one.pointer or one.parameter or "").split("/") if part]
        names = ["_".join(parts[:length]) for length in range(len(parts), 0, -1)]
        name = next((name for name in [*names, *reversed(parts)] if name in form.fields), None)
        form.add_error(name, one.detail if name or not parts else f"{' '.join(parts)}: {one.detail}")

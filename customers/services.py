"""The verbs on customers. Erasing one reaches bookings too, and so lives in `bookings.services`."""

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from common.errors import FieldError, NotFound, ValidationFailed, VersionConflict
from customers import events
from customers.errors import DuplicateCustomer
from customers.models import Customer
from customers.serializers import CustomerShape
from organizations.actor import Actor
from organizations.permissions import Scope


@transaction.atomic
def create_customer(*, by: Actor, **fields: Any) -> Customer:
    """A new customer, with a name, an e-mail address or a phone number at least.

    Raises NotAllowed, DuplicateCustomer, ValidationFailed.
    """
    by.require(Scope.CUSTOMERS_WRITE)
    return _create(by, fields)


@transaction.atomic
def update_customer(*, customer: Customer, by: Actor, expected_version: int | None = None, **changes: Any) -> Customer:
    """Change the given fields. Changing nothing raises no version and tells nobody.

    Raises NotAllowed, NotFound, VersionConflict, DuplicateCustomer, ValidationFailed.
    """
    by.require(Scope.CUSTOMERS_WRITE)
    customer = locked(customer, by=by, expected_version=expected_version)
    return _change(customer, changes, by=by)


def customer_for_booking(*, by: Actor, **fields: Any) -> Customer:
    """The customer of that e-mail address, else of that phone number, else a new one.

    A known customer's empty fields are filled in; what is known already stays as it is. Marketing consent is recorded
    when it is given; a booking without it takes none back.

    Raises DuplicateCustomer when others keep making and erasing that customer at this very moment.
    """
    found = _locked_by_contact(by, fields)
    if found is None:
        try:
            with transaction.atomic():
                return _create(by, fields)
        except DuplicateCustomer:  # somebody else's request just made the customer
            found = _locked_by_contact(by, fields)
            if found is None:
                raise
    missing = {name: value for name, value in fields.items() if value and not getattr(found, name)}
    if not (fields.get("marketing_consent") or {}).get("value"):
        missing.pop("marketing_consent", None)
    return _change(found, missing, by=by)


def _locked_by_contact(by: Actor, fields: dict[str, Any]) -> Customer | None:
    """The customer of that contact, locked and current: one that is being erased or renamed is waited for, and if it
    no longer fits, is not found.
    """
    known = Customer.objects.visible_to(by).select_for_update().order_by("pk")
    if email := fields.get("email"):
        return known.filter(email=email).first()
    phone = fields.get("phone")
    return known.filter(phone=phone).first() if phone else None


def locked(customer: Customer, *, by: Actor, expected_version: int | None) -> Customer:
    """The row, locked and current. Raises NotFound, VersionConflict."""
    current = Customer.objects.visible_to(by).select_for_update().filter(pk=customer.pk).first()
    if current is None:
        raise NotFound("customer")
    if expected_version is not None and current.version != expected_version:
        raise VersionConflict(current=current.version)
    return current


def _create(by: Actor, fields: dict[str, Any]) -> Customer:
    customer = Customer(organization=by.organization)
    _assign(customer, fields)
    _require_contact(customer)
    _save(customer)
    events.customer_created(customer, by=by)
    return customer


def _change(customer: Customer, fields: dict[str, Any], *, by: Actor) -> Customer:
    """Write what differs to a locked row, and only that. Changing nothing raises no version and tells nobody."""
    before = CustomerShape.json(customer)
    changed = _assign(customer, fields)
    _require_contact(customer)
    if changed:
        customer.version += 1
        _save(customer, only=[*changed, "version", "updated_at"])
        events.customer_updated(customer, by=by, before=before)
    return customer


def _assign(customer: Customer, fields: dict[str, Any]) -> list[str]:
    """Set the fields; the names of the columns that differ now."""
    fields = dict(fields)
    consent = fields.pop("marketing_consent", None)
    if consent is not None and consent["value"] != customer.marketing_consent:
        fields["marketing_consent"] = consent["value"]
        fields["marketing_consent_at"] = timezone.now()
        fields["marketing_consent_source"] = consent.get("source", "")
    changed = [name for name, value in fields.items() if getattr(customer, name) != value]
    for name in changed:
        setattr(customer, name, fields[name])
    return changed


def _require_contact(customer: Customer) -> None:
    if not (customer.name or customer.email or customer.phone):
        raise ValidationFailed(FieldError("Give a name, an e-mail address or a phone number.", "required", pointer=""))


def _save(customer: Customer, *, only: Iterable[str] | None = None) -> None:
    try:
        with transaction.atomic():
            customer.save(force_insert=only is None, update_fields=only)
    except IntegrityError:
        other = customer.email and Customer.objects.filter(organization=customer.organization, email=customer.email).first()
        if not other:
            raise
        raise DuplicateCustomer("Change that customer, or use another address.", customer=other.public_id) from None

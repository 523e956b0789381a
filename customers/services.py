"""The verbs on customers. Erasing one reaches bookings too, and so lives in `bookings.services`."""

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
    before = CustomerShape.json(customer)
    _assign(customer, changes)
    _require_contact(customer)
    if CustomerShape.json(customer) == before:
        return customer
    customer.version += 1
    _save(customer)
    events.customer_updated(customer, by=by, before=before)
    return customer


def customer_for_booking(*, by: Actor, **fields: Any) -> Customer:
    """The customer of that e-mail address, else of that phone number, else a new one.

    A known customer's empty fields are filled in; what is known already stays as it is.
    """
    known = Customer.objects.visible_to(by)
    email, phone = fields.get("email"), fields.get("phone")
    found = known.filter(email=email).first() if email else None
    if found is None and phone and not email:
        found = known.filter(phone=phone).order_by("pk").first()
    if found is None:
        try:
            with transaction.atomic():
                return _create(by, fields)
        except DuplicateCustomer:  # somebody else's request just made the customer
            found = known.get(email=email)
    missing = {name: value for name, value in fields.items() if value and not getattr(found, name)}
    if missing and missing.keys() - {"marketing_consent"}:
        before = CustomerShape.json(found)
        _assign(found, missing)
        found.version += 1
        _save(found)
        events.customer_updated(found, by=by, before=before)
    return found


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


def _assign(customer: Customer, fields: dict[str, Any]) -> None:
    consent = fields.get("marketing_consent")
    for name, value in fields.items():
        if name != "marketing_consent":
            setattr(customer, name, value)
    if consent is not None and consent["value"] != customer.marketing_consent:
        customer.marketing_consent = consent["value"]
        customer.marketing_consent_at = timezone.now()
        customer.marketing_consent_source = consent.get("source", "")


def _require_contact(customer: Customer) -> None:
    if not (customer.name or customer.email or customer.phone):
        raise ValidationFailed(FieldError("Give a name, an e-mail address or a phone number.", "required", pointer=""))


def _save(customer: Customer) -> None:
    try:
        with transaction.atomic():
            customer.save()
    except IntegrityError:
        other = Customer.objects.filter(organization=customer.organization, email=customer.email).first()
        if other is None:
            raise
        raise DuplicateCustomer("Change that customer, or use another address.", customer=other.public_id) from None

"""What happened to customers, as subscribers hear of it."""

from collections.abc import Mapping
from typing import Any

from customers.models import Customer
from customers.serializers import CustomerShape
from organizations.actor import Actor
from webhooks.services import changed_attributes, emit
from webhooks.types import EventType


def customer_created(customer: Customer, *, by: Actor) -> None:
    emit(EventType.CUSTOMER_CREATED, by=by, object=CustomerShape.json(customer), version=customer.version)


def customer_updated(customer: Customer, *, by: Actor, before: Mapping[str, Any]) -> None:
    """`before` is the base shape as it was; the event tells the attributes that differ."""
    after = CustomerShape.json(customer)
    previous = changed_attributes(before, after)
    emit(EventType.CUSTOMER_UPDATED, by=by, object=after, version=customer.version, previous=previous)


def customer_deleted(customer: Customer, *, by: Actor) -> None:
    gone = {"object": "customer", "id": customer.public_id, "deleted": True}
    emit(EventType.CUSTOMER_DELETED, by=by, object=gone, version=customer.version)

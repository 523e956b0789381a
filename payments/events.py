"""What happened to money, for subscribers. Of payments that an integrator reports itself none is told."""

from organizations.actor import Actor
from payments.models import Payment
from payments.serializers import PaymentShape
from webhooks.services import emit
from webhooks.types import EventType


def tell(payment: Payment, type: EventType, *, by: Actor) -> None:
    emit(type, by=by, object=PaymentShape.json(payment), version=payment.version)

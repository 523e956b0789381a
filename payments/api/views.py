"""`/payments`, and the payments of a booking."""

from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from bookings import ledger
from bookings.models import Booking
from common.errors import NotFound
from developers.renderers import CSVRenderer, JSONRenderer
from developers.viewsets import ApiViewSet
from organizations.permissions import Scope
from payments.api.inputs import ExportQuery, ListedPaymentFilters
from payments.models import Payment
from payments.serializers import PaymentShape, PaymentWithRefundsShape


class PaymentViewSet(ApiViewSet):
    queryset = Payment.objects.with_refunds()
    shape = PaymentShape
    filterset_class = ListedPaymentFilters
    query_inputs: ClassVar = {"export": ExportQuery}
    scopes: ClassVar = {"list": Scope.PAYMENTS_READ, "retrieve": Scope.PAYMENTS_READ, "export": Scope.PAYMENTS_READ}

    def get_renderers(self) -> list[Any]:
        return [CSVRenderer() if self.action == "export" else JSONRenderer()]

    @extend_schema(operation_id="list_payments", summary="List payments", tags=["Payments"])
    def list(self, request: Request) -> Response:
        """The newest first."""
        return self.answer_list(self.get_queryset())

    @extend_schema(operation_id="get_payment", summary="Get a payment", tags=["Payments"], responses=PaymentWithRefundsShape)
    def retrieve(self, request: Request, id: str) -> Response:
        """With its refunds."""
        payment = self.get_queryset().find(id)
        return self.answer(payment, refunds=PaymentWithRefundsShape.get_refunds(payment))

    @extend_schema(
        operation_id="export_payments",
        summary="Export payments for bookkeeping",
        tags=["Payments"],
        parameters=[ExportQuery],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def export(self, request: Request) -> StreamingHttpResponse:
        """CSV with a line for each movement of money: payments that have succeeded, and refunds, whose amounts are negative.
        `date` is when the money was known to be here, or back. A refund that a bank returned later has no line any more.
        """
        lines = ledger.lines(by=self.actor, **self.query())
        headers = {"Content-Disposition": 'attachment; filename="payments.csv"'}
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


class BookingPaymentViewSet(ApiViewSet):
    queryset = Payment.objects.with_refunds()
    shape = PaymentWithRefundsShape
    scopes: ClassVar = {"list": Scope.PAYMENTS_READ}

    @extend_schema(operation_id="list_booking_payments", summary="A booking's payments", tags=["Payments"])
    def list(self, request: Request, id: str) -> Response:
        """The newest first, with their refunds."""
        booking = Booking.objects.visible_to(self.actor).named(id).first()
        if booking is None:
            raise NotFound("booking")
        return self.answer_list(self.get_queryset().of(booking.public_id))

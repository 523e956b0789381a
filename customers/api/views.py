"""`/customers`."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from bookings import services as bookings
from bookings.models import Booking
from bookings.serializers import BookingShape
from common.errors import ErrorCode, NotFound
from customers import services
from customers.api.serializers import CustomerExportShape, CustomerProfileShape, ErasedCustomerShape
from customers.filters import CustomerFilters
from customers.inputs import CustomerInput
from customers.models import Customer
from customers.serializers import CustomerShape
from developers.viewsets import ApiViewSet
from organizations.permissions import Scope

LAST_BOOKINGS = 20


class CustomerViewSet(ApiViewSet):
    queryset = Customer.objects.all()
    shape = CustomerShape
    filterset_class = CustomerFilters
    sorts: ClassVar = ("-created_at", "updated_at", "name")
    scopes: ClassVar = {
        "list": Scope.CUSTOMERS_READ,
        "retrieve": Scope.CUSTOMERS_READ,
        "create": Scope.CUSTOMERS_WRITE,
        "update": Scope.CUSTOMERS_WRITE,
        "destroy": Scope.CUSTOMERS_WRITE,
        "export": Scope.CUSTOMERS_READ,
    }

    refusals: ClassVar = {
        "create": (ErrorCode.DUPLICATE_CUSTOMER,),
        "update": (ErrorCode.DUPLICATE_CUSTOMER,),
        "destroy": (ErrorCode.CUSTOMER_HAS_FUTURE_BOOKINGS,),
    }

    def customer(self) -> Customer:
        found: Customer | None = self.get_queryset().filter(public_id=self.kwargs["id"]).first()
        if found is None:
            raise NotFound("customer")
        return found

    @extend_schema(operation_id="list_customers", summary="List customers", tags=["Customers"])
    def list(self, request: Request) -> Response:
        return self.answer_list(self.get_queryset())

    @extend_schema(operation_id="get_customer", summary="Get a customer", tags=["Customers"], responses=CustomerProfileShape)
    def retrieve(self, request: Request, id: str) -> Response:
        """The profile, figures over all bookings and the latest 20. Without `bookings:read` both `stats` and `bookings`
        are null.
        """
        customer = self.customer()
        if Scope.BOOKINGS_READ not in self.actor.scopes:
            return self.answer(customer, stats=None, bookings=None)
        latest = Booking.objects.visible_to(self.actor).filter(customer=customer).with_related().order_by("-starts_at", "-pk")
        rows = list(latest[: LAST_BOOKINGS + 1])
        history = {
            "object": "list",
            "data": [BookingShape.json(row) for row in rows[:LAST_BOOKINGS]],
            "has_more": len(rows) > LAST_BOOKINGS,
            "url": f"/api/v1/public/bookings?customer={customer.public_id}",
        }
        return self.answer(customer, stats=bookings.customer_stats(customer), bookings=history)

    @extend_schema(
        operation_id="create_customer",
        summary="Create a customer",
        tags=["Customers"],
        request=CustomerInput,
        responses={201: CustomerShape},
    )
    def create(self, request: Request) -> Response:
        """409 `duplicate_customer` names the customer who has the e-mail address already."""
        return self.answer(services.create_customer(by=self.actor, **self.input(CustomerInput)), status=201)

    @extend_schema(
        operation_id="change_customer",
        summary="Change a customer",
        tags=["Customers"],
        request=CustomerInput,
        responses=CustomerShape,
    )
    def update(self, request: Request, id: str) -> Response:
        changes = self.input(CustomerInput)
        customer = services.update_customer(
            customer=self.customer(), by=self.actor, expected_version=self.expected_version, **changes
        )
        return self.answer(customer)

    @extend_schema(
        operation_id="erase_customer",
        summary="Erase a customer",
        tags=["Customers"],
        request=None,
        responses={200: ErasedCustomerShape},
    )
    def destroy(self, request: Request, id: str) -> Response:
        """Erases what is personal; bookings and money stay. Refused while there are future bookings."""
        customer = bookings.erase_customer(customer=self.customer(), by=self.actor, expected_version=self.expected_version)
        return Response({"object": "customer", "id": customer.public_id, "deleted": True})

    @extend_schema(
        operation_id="export_customer",
        summary="Export a customer",
        tags=["Customers"],
        responses=CustomerExportShape,
    )
    def export(self, request: Request, id: str) -> Response:
        """All that is kept about the person, to hand over. Needs `bookings:read` too."""
        return Response(bookings.export_customer(customer=self.customer(), by=self.actor))

from django.urls import path

from payments.api.views import BookingPaymentViewSet, PaymentViewSet

urlpatterns = [
    path("payments", PaymentViewSet.as_view({"get": "list"}), name="payments"),
    path("payments/export", PaymentViewSet.as_view({"get": "export"}), name="payment-export"),
    path("payments/<slug:id>", PaymentViewSet.as_view({"get": "retrieve"}), name="payment"),
    path("bookings/<slug:id>/payments", BookingPaymentViewSet.as_view({"get": "list"}), name="booking-payments"),
]

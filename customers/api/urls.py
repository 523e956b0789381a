from typing import Any

from django.urls import path

from customers.api.views import CustomerViewSet

CHANGES: dict[str, Any] = {"get": "retrieve", "put": "update", "patch": "update", "delete": "destroy"}

urlpatterns = [
    path("customers", CustomerViewSet.as_view({"get": "list", "post": "create"}), name="customers"),
    path("customers/<slug:id>", CustomerViewSet.as_view(CHANGES), name="customer"),
    path("customers/<slug:id>/export", CustomerViewSet.as_view({"get": "export"}), name="customer-export"),
]

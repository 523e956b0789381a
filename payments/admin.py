"""Money in the operators' admin, and how each organization reaches Stripe."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminURLInputWidget, UnfoldBooleanWidget

from bookings.models import Booking
from bookings.services import refund_booking
from common.admin import BigTableAdmin, UncountedAdmin, money_text, operator, perform
from organizations.actor import Actor
from payments.gateway import TEST_KEYS
from payments.models import Payment, Refund, StripeAccount
from payments.services import set_stripe_account


class MoneyAdmin(BigTableAdmin):
    computed = ("money",)
    hidden = ("amount",)
    list_select_related = ("organization",)

    money = money_text("amount", "amount")


@admin.register(Payment)
class PaymentAdmin(MoneyAdmin):
    list_display = ("public_id", "organization", "subject", "mode", "status", "money", "created_at")
    list_filter = ("mode", "status", "unwanted")
    search_fields = ("public_id", "subject", "intent", "charge", "organization__slug")
    actions = ("refund",)

    @admin.action(description="Refund what is left", permissions=["act"])
    def refund(self, request: HttpRequest, queryset: QuerySet[Payment]) -> HttpResponse | None:
        return perform(
            self,
            request,
            queryset,
            lambda payment: _refund_what_is_left(payment, operator(request, payment.organization)),
            done="Refund ordered",
            question="Give back all that is left of these payments, whatever the policies say? The bookings stand.",
        )


@admin.register(Refund)
class RefundAdmin(MoneyAdmin):
    list_display = ("public_id", "organization", "subject", "status", "purpose", "money", "reason", "created_at")
    list_filter = ("status", "purpose")
    search_fields = ("public_id", "subject", "stripe_id", "payment__public_id", "payment__intent", "organization__slug")


def _refund_what_is_left(payment: Payment, by: Actor) -> None:
    refund_booking(booking=Booking.objects.visible_to(by).get(public_id=payment.subject), payment=payment, by=by)


NO_FILLING = {"autocomplete": "new-password"}  # a browser would put the operator's own password there


def _begins(pattern: str, example: str) -> RegexValidator:
    return RegexValidator(rf"\A({pattern})\w+\Z", f"It begins with {example}.")


class StripeAccountForm(forms.ModelForm):  # type: ignore[type-arg]
    """Secrets go in and never come out: an empty field keeps the one that is there."""

    new_secret_key = forms.CharField(
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs=NO_FILLING),
        validators=[_begins("(sk|rk)_(test|live)_", "sk_test_, sk_live_, rk_test_ or rk_live_")],
        help_text="Empty: stays as it is. Another account's key cuts off what is open or to be refunded at the one before.",
    )
    new_webhook_secret = forms.CharField(
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs=NO_FILLING),
        validators=[_begins("whsec_", "whsec_")],
        help_text="Empty: stays as it is. Of the endpoint /webhooks/stripe/org_… in the organization's own account.",
    )
    forget_secret_key = forms.BooleanField(required=False, widget=UnfoldBooleanWidget, help_text="Use the platform's.")
    forget_webhook_secret = forms.BooleanField(required=False, widget=UnfoldBooleanWidget, help_text="Use the platform's.")
    api_base = forms.URLField(
        required=False, assume_scheme="https", widget=UnfoldAdminURLInputWidget, help_text="Empty: as the platform's."
    )

    class Meta:
        model = StripeAccount
        fields = ("organization", "publishable_key", "connected_account", "api_base")

    def clean_api_base(self) -> str:
        base = str(self.cleaned_data["api_base"]).rstrip("/")
        if base and not base.startswith("https://") and not settings.DEVELOPMENT:
            raise ValidationError("The secret key travels there: https:// only.")
        return base

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        organization = cleaned.get("organization") or getattr(self.instance, "organization", None)
        key = cleaned.get("new_secret_key") or ""
        if key and organization and organization.mode == "test" and not key.startswith(TEST_KEYS):
            self.add_error("new_secret_key", "A sandbox takes test keys only.")
        return cleaned

    def given(self) -> dict[str, str]:
        """What `set_stripe_account` is to change."""
        cleaned = self.cleaned_data
        found = {name: cleaned[name] for name in ("publishable_key", "connected_account", "api_base")}
        for name in ("secret_key", "webhook_secret"):
            if cleaned[f"new_{name}"] or cleaned[f"forget_{name}"]:
                found[name] = cleaned[f"new_{name}"]
        return found


@admin.register(StripeAccount)
class StripeAccountAdmin(UncountedAdmin):
    """Without deletion: what is emptied comes from the platform's settings again."""

    form = StripeAccountForm
    hidden: ClassVar = ("secret_key", "webhook_secret")
    list_display = ("organization", "secret_key_is", "webhook_secret_is", "connected_account", "updated_at")
    list_select_related = ("organization",)
    search_fields = ("organization__slug", "organization__public_id__exact", "connected_account__exact")
    ordering = ("-pk",)
    autocomplete_fields = ("organization",)
    fields = (
        "organization",
        *("secret_key_is", "new_secret_key", "forget_secret_key", "publishable_key", "connected_account"),
        *("webhook_secret_is", "new_webhook_secret", "forget_webhook_secret", "api_base", "updated_at"),
    )

    @admin.display(description="secret key in use")
    def secret_key_is(self, account: StripeAccount) -> str:
        return "Its own" if account.secret_key else "The platform's"

    @admin.display(description="webhook secret in use")
    def webhook_secret_is(self, account: StripeAccount) -> str:
        return "Its own" if account.webhook_secret else "The platform's"

    def get_readonly_fields(self, request: HttpRequest, obj: StripeAccount | None = None) -> tuple[str, ...]:
        shown = ("secret_key_is", "webhook_secret_is", "updated_at")
        return ("organization", *shown) if obj else shown

    def has_delete_permission(self, request: HttpRequest, obj: StripeAccount | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup.split("__")[0] not in self.hidden and bool(super().lookup_allowed(lookup, value, request))

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(*args, **kwargs)

    def save_model(self, request: HttpRequest, obj: StripeAccount, form: StripeAccountForm, change: bool) -> None:
        obj.pk = set_stripe_account(by=operator(request, obj.organization), **form.given()).pk

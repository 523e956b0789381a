"""Forms of the settings."""

from django import forms

KEEP = "•••• kept"


class OrganizationForm(forms.Form):
    name = forms.CharField(max_length=120, help_text="As your guests know you.")


class StripeForm(forms.Form):
    """An organization's own keys at Stripe. A secret that stays empty stays as it is.

    A Connect account of the platform's is given by operators alone: typed here it could be another tenant's.
    """

    publishable_key = forms.RegexField(
        r"^pk_(test|live)_\w+$", required=False, max_length=255, help_text="Begins with pk_. Your guests' browsers see it."
    )
    secret_key = forms.RegexField(
        r"^[sr]k_(test|live)_\w+$",
        required=False,
        max_length=255,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Begins with sk_ or rk_. Kept encrypted, and never shown again.",
    )
    webhook_secret = forms.RegexField(
        r"^whsec_\w+$",
        required=False,
        max_length=255,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Begins with whsec_. Stripe shows it beside the webhook that you make for the address below.",
    )

    def __init__(self, *args: object, kept: set[str], **kwargs: object) -> None:
        """`kept`: names of the secrets that are there."""
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for name in kept:
            self.fields[name].widget.attrs["placeholder"] = KEEP

    def changes(self) -> dict[str, str]:
        return {name: text for name, text in self.cleaned_data.items() if text or name not in ("secret_key", "webhook_secret")}

"""For the pages of django-allauth. `{% load accounts %}`."""

import re

from allauth.account.fields import SetPasswordField
from django import forms, template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from dashboard.accounts import PASSWORD_HELP

register = template.Library()

# In this order: Edge and Opera call themselves Chrome as well, and Chrome calls itself Safari.
BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


@register.filter
def tidy(form: forms.BaseForm) -> forms.BaseForm:
    """Its labels, written as ours are, say what the placeholders repeat, and one sentence what a password must be."""
    for bound in form:
        bound.field.widget.attrs.pop("placeholder", None)
        label = str(bound.label)
        bound.label = "E-mail address" if label == "Email" else label.capitalize()
        if isinstance(bound.field, SetPasswordField):
            bound.help_text = PASSWORD_HELP
    return form


@register.filter
def clickable(text: str) -> SafeString:
    """A letter's text with its links; `urlize` would make one of each address that it names."""
    return mark_safe(re.sub(r"https?://[^\s<]+", r'<a href="\g<0>">\g<0></a>', conditional_escape(text)))  # noqa: S308


@register.filter
def browser(agent: str) -> str:
    """`Firefox on Windows`, from a User-Agent header; the header itself where nothing in it is known."""
    found = [next((name for mark, name in known if mark in agent), "") for known in (BROWSERS, SYSTEMS)]
    return " on ".join(name for name in found if name) or agent

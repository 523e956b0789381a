"""How forms become HTML."""

from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """Fields as the component shows them: `{{ form.name.as_field_group }}`."""

    field_template_name = "components/field.html"

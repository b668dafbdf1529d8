"""The forms of the mapping's editor: a row per field, and one field alone."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from django import forms

from common.errors import InvalidInput
from crm.describing import Description, read_descriptions
from crm.mapping import PORTAL_FIELDS, FieldRule
from crm.mapping.refusing import NEEDED, refuse_impossible
from crm.models import FieldMapping
from crm.rules import as_rule, load_rules

Direction = FieldMapping.Direction
ONE_WAY = [(value, label) for value, label in Direction.choices if value in (Direction.PUSH, Direction.OFF)]
COLUMNS = {"direction": "Direction", "rule": "Right when both changed it", "sends_blanks": "Blanks count"}
# Short enough for a column.
WHO_IS_RIGHT = [
    (FieldMapping.Rule.OURS_IF_BLANK, "Salesforce, unless blank there"),
    (FieldMapping.Rule.THEIRS, "Salesforce"),
    (FieldMapping.Rule.OURS, "The portal"),
    (FieldMapping.Rule.NEWEST, "The latest change"),
]


class RowForm(forms.ModelForm[FieldMapping]):
    """How one field is exchanged; which two fields these are is said beside it."""

    class Meta:
        model = FieldMapping
        fields = ("direction", "rule", "sends_blanks")

    def __init__(self, *args: Any, is_fixed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.portal = PORTAL_FIELDS.get(self.instance.portal_field)
        self.label = self.portal.label if self.portal else self.instance.portal_field
        direction, rule = self.fields["direction"], self.fields["rule"]
        assert isinstance(direction, forms.ChoiceField)
        assert isinstance(rule, forms.ChoiceField)
        rule.choices = WHO_IS_RIGHT
        if self.instance.object_name != "Lead" or self.portal is None or self.portal.target is None:
            direction.choices = ONE_WAY
            del self.fields["rule"]
        for name, field in self.fields.items():
            field.widget.attrs["aria-label"] = f"{COLUMNS[name]}: {self.label}"
            field.disabled = is_fixed
            # Two people may edit at once: only what this one changed is written.
            field.show_hidden_initial = True


class RowFormSet(forms.BaseModelFormSet[FieldMapping, RowForm]):
    """All rows of the mapping, which must go together."""

    def __init__(self, *args: Any, is_fixed: bool, **kwargs: Any) -> None:
        super().__init__(*args, form_kwargs={"is_fixed": is_fixed}, **kwargs)

    def clean(self) -> None:
        """Refuse rules that cannot be kept, each at its own row."""
        rules = {form: as_rule(form.instance) for form in self.forms if form.portal and form.is_valid()}
        for form, rule in rules.items():
            others = [other for other in rules.values() if other is not rule]
            _refuse(form, rule, others)


EditorFormSet = forms.modelformset_factory(
    FieldMapping, form=RowForm, formset=RowFormSet, extra=0, edit_only=True
)


class FieldMappingForm(forms.ModelForm[FieldMapping]):
    """One field of ours, and the one there that it belongs to."""

    portal_field = forms.ChoiceField(label="Field of the portal")

    class Meta:
        model = FieldMapping
        fields = ("object_name", "portal_field", "salesforce_field", "direction", "rule", "sends_blanks")
        labels = {
            "object_name": "Object in Salesforce",
            "salesforce_field": "Field in Salesforce",
            "rule": COLUMNS["rule"],
            "sends_blanks": COLUMNS["sends_blanks"],
        }
        help_texts = {"salesforce_field": "Its API name, such as Portal_Score__c; or type to find it."}
        widgets = {"salesforce_field": forms.TextInput(attrs={"list": "fields-there", "autocomplete": "off"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields.get("portal_field")  # Not there for whoever may only look.
        if isinstance(chosen, forms.ChoiceField):
            chosen.choices = [("", "Choose…"), *_grouped_fields()]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        named = cleaned.get("object_name"), cleaned.get("portal_field"), cleaned.get("salesforce_field")
        if not all(named):
            return cleaned
        described = read_descriptions().get(cleaned["object_name"])
        if described is not None:
            cleaned["salesforce_field"] = self._known_field(described, cleaned["salesforce_field"])
        mapping = FieldMapping(**cleaned)
        own = self.instance.object_name, self.instance.salesforce_field
        others = [
            rule
            for rule in load_rules().fields
            if self.instance.pk is None or (rule.object_name, rule.salesforce_field) != own
        ]
        _refuse(self, as_rule(mapping), others)
        if is_needed(self.instance) and own != (mapping.object_name, mapping.salesforce_field):
            self.add_error("salesforce_field", f"Salesforce makes no lead without {own[1]}: it stays mapped.")
        return cleaned

    def _known_field(self, described: Description, name: str) -> str:
        """The name as Salesforce writes it. Adds an error for one that it does not have."""
        remote = described.field(name)
        if remote is not None:
            return remote.name
        close = get_close_matches(name.lower(), described.fields, n=3)
        like = ", ".join(described.fields[match].name for match in close)
        self.add_error(
            "salesforce_field",
            f"{described.object_name} has no field {name} that our user may see."
            + (f" Did you mean {like}?" if like else ""),
        )
        return name


def is_needed(mapping: FieldMapping) -> bool:
    """Whether Salesforce takes no lead without this field."""
    return mapping.object_name == "Lead" and mapping.salesforce_field in NEEDED


def _refuse(form: forms.ModelForm[FieldMapping], rule: FieldRule, others: Sequence[FieldRule]) -> None:
    try:
        refuse_impossible(rule, others=others)
    except InvalidInput as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))


def _grouped_fields() -> list[tuple[str, list[tuple[str, str]]]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for field in PORTAL_FIELDS.values():
        groups.setdefault(field.group, []).append((field.key, field.label))
    return list(groups.items())

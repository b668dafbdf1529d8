"""Forms of the routing pages. They check shape; the verbs check sense."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Count, Q, QuerySet

from accounts.models import User
from common.errors import InvalidInput
from common.ids import parse_id
from handoffs.models import Handoff
from handoffs.routing.assignment import facts_of
from handoffs.routing.bulk_reassignment import WORKERS, Which
from handoffs.routing.routes import RouteFacts
from leads.addresses import normalise_domain, normalise_email
from leads.models import Company, Lead
from leads.whole_numbers import MAX_DEAL_SIZE, MAX_EMPLOYEES
from scoring.models import LeadScore


class TryRouteForm(forms.Form):
    """A lead we know, or the facts of one we imagine. What is blank is unknown."""

    lead = forms.CharField(max_length=254, required=False, label="Known lead, e-mail or number")
    category = forms.ChoiceField(
        choices=[("", "As scored, or unknown"), *LeadScore.Category.choices], required=False
    )
    company = forms.CharField(max_length=253, required=False, label="Company, by its domain")
    country = forms.CharField(max_length=80, required=False)
    industry = forms.CharField(max_length=120, required=False)
    employee_count = forms.IntegerField(
        min_value=0, max_value=MAX_EMPLOYEES, required=False, label="Employees"
    )
    source = forms.CharField(max_length=80, required=False)
    language = forms.CharField(max_length=40, required=False)
    product_line = forms.CharField(max_length=80, required=False)
    deal_size = forms.IntegerField(min_value=0, max_value=MAX_DEAL_SIZE, required=False)

    def __init__(self, *args: Any, viewer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._viewer = viewer
        for field in self.fields.values():
            css = "form-select" if isinstance(field.widget, forms.Select) else "form-control"
            field.widget.attrs |= {"class": css, "autocomplete": "off"}

    def clean_lead(self) -> Lead | None:
        text = self.cleaned_data["lead"]
        if not text:
            return None
        try:
            key = {"email": normalise_email(text)} if "@" in text else {"pk": parse_id(text)}
        except ValueError:
            raise forms.ValidationError("Give an e-mail address, or the number of a lead.") from None
        except InvalidInput as refusal:
            raise forms.ValidationError(str(refusal)) from None
        visible = Lead.objects.visible_to(self._viewer).select_related("company", "score")
        lead = visible.filter(**key).first()
        if lead is None:
            raise forms.ValidationError(f"There is no lead {text}, or it is not yours to see.")
        return lead

    def clean_company(self) -> Company | None:
        """The company whose owner would be asked first."""
        try:
            domain = normalise_domain(self.cleaned_data["company"])
        except InvalidInput as refusal:
            raise forms.ValidationError(str(refusal)) from None
        company = Company.objects.filter(domain=domain).first() if domain else None
        if domain and company is None:
            raise forms.ValidationError(f"We know no company {domain}. Correct it, or leave this blank.")
        return company

    def facts(self) -> RouteFacts:
        """What the rules look at. Of a known lead what we know; else what is given, and for what is left
        blank what we know of the company."""
        given = self.cleaned_data
        lead, company = given["lead"], given["company"]
        if lead:
            score = getattr(lead, "score", None)
            return facts_of(lead, category=given["category"] or (score.category if score else ""))
        size = given["employee_count"]
        return RouteFacts(
            country=given["country"] or (company.country if company else ""),
            industry=given["industry"] or (company.industry if company else ""),
            category=given["category"],
            source=given["source"],
            employee_count=company.employee_count if size is None and company else size,
            language=given["language"],
            product_line=given["product_line"],
            deal_size=given["deal_size"],
        )

    @property
    def imagined(self) -> list[forms.BoundField]:
        """The fields that a known lead makes superfluous."""
        return [field for field in self if field.name not in ("lead", "category")]


class BulkReassignForm(forms.Form):
    """Whose handoffs move, which of them, and to whom: to nobody by name means by turns."""

    person = forms.ModelChoiceField(queryset=User.objects.none(), label="From", empty_label="Choose a person")
    which = forms.TypedChoiceField(
        choices=[
            (Which.ALL.value, "All open handoffs"),
            (Which.OFFERED.value, "Those not accepted yet"),
        ],
        coerce=Which,
        empty_value=Which.ALL,
        required=False,
    )
    to = forms.ModelMultipleChoiceField(
        queryset=User.objects.none(),
        label="To",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Nobody chosen: by the turns of each pool.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = people_with_open_handoffs()  # type: ignore[attr-defined]
        self.fields["person"].label_from_instance = _with_count  # type: ignore[attr-defined]
        self.fields["to"].queryset = User.objects.filter(  # type: ignore[attr-defined]
            is_active=True, role__in=WORKERS
        ).order_by("first_name", "last_name", "pk")
        for name in ("person", "which"):
            self.fields[name].widget.attrs["class"] = "form-select"


def people_with_open_handoffs() -> QuerySet[User]:
    """Whoever has open handoffs, also when they no longer work here, with their number as `open_count`."""
    counts = Handoff.objects.open().filter(owner__isnull=False)
    return (
        User.objects.filter(pk__in=counts.values("owner"))
        .annotate(open_count=Count("handoffs", filter=Q(handoffs__status__in=Handoff.OPEN)))
        .order_by("first_name", "last_name", "pk")
    )


def _with_count(person: User) -> str:
    return f"{person}, {person.open_count} open"  # type: ignore[attr-defined]

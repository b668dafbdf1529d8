"""Pools and routing rules in the admin (HAND-3)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from common.spans import days_within_ten_years
from handoffs.admin.bases import EditableListAdmin
from handoffs.admin.fields import LinesField, categories, lines
from handoffs.models import Pool, PoolMembership, RoutingRule
from handoffs.pipeline import retry_parked_leads
from handoffs.routing.assignment import read_rules
from handoffs.routing.routes import RulePlan
from handoffs.routing.sentences import leads_in_words, people_in_words
from handoffs.routing.shadowing import find_hidden
from leads.models import Lead
from notifications.models import Channel


class ShortLinesField(LinesField):
    """The same beside others."""

    widget = forms.Textarea(attrs={"rows": 2, "cols": 18})


def _short_lines(label: str) -> ShortLinesField:
    return ShortLinesField(required=False, label=label)


# --- Pools --------------------------------------------------------------------------------------


class MembershipForm(forms.ModelForm[PoolMembership]):
    countries = _short_lines("Territory")
    languages = _short_lines("Languages")
    skills = _short_lines("Skills")

    class Meta:
        model = PoolMembership
        fields = (
            "user", "weight", "weekly_capacity", "max_open", "is_active", "countries", "languages", "skills",
        )  # fmt: skip


class MembershipInline(admin.StackedInline[PoolMembership, Pool]):
    form = MembershipForm
    model = PoolMembership
    extra = 0
    autocomplete_fields = ("user",)
    fields = (
        ("user", "is_active", "turns"),
        ("weight", "weekly_capacity", "max_open"),
        ("countries", "languages", "skills"),
    )
    # The books of the turns: whoever could write them could jump the queue.
    readonly_fields = ("turns",)
    verbose_name_plural = (
        "Members. Territory, languages and skills: one per line; a blank territory takes any country"
    )

    @admin.display(description="so far")
    def turns(self, member: PoolMembership) -> str:
        return f"{member.received} received, {member.entitled:.1f} entitled"


class PoolForm(forms.ModelForm[Pool]):
    class Meta:
        model = Pool
        fields = (
            "name", "team", "off_shift", "catches_up", "declined_for_days", "max_hops", "catch_all",
            "returns_to_same_rep", "returns_before_manager", "channels",
        )  # fmt: skip
        widgets = {"channels": forms.CheckboxSelectMultiple}
        labels = {
            "declined_for_days": "Days not offered again",
            "max_hops": "Most reps to pass it on",
            "catch_all": "Catch-all pool",
            "returns_to_same_rep": "Times back to the same rep",
            "returns_before_manager": "Returns before a manager looks",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "declined_for_days" not in self.fields:  # for whoever may only look
            return
        self.fields["declined_for_days"].validators.append(days_within_ten_years)
        channels = self.fields["channels"]
        assert isinstance(channels, forms.ModelMultipleChoiceField)
        # Nobody's own, whoever that is: what is posted there names a lead.
        channels.queryset = Channel.objects.shared().kept()

    def clean_catch_all(self) -> Pool | None:
        """Refuse a circle: a lead that nobody keeps must come to rest somewhere."""
        chosen: Pool | None = self.cleaned_data["catch_all"]
        seen, end = set(), chosen
        while end is not None and end.pk not in seen:
            if end.pk == self.instance.pk:
                raise ValidationError(f"Leads that nobody keeps would come back here from {chosen}.")
            seen.add(end.pk)
            end = end.catch_all
        return chosen


@admin.register(Pool)
class PoolAdmin(admin.ModelAdmin[Pool]):
    form = PoolForm
    list_display = ("name", "team", "active_members", "off_shift", "catches_up", "catch_all")
    list_select_related = ("team", "catch_all")
    inlines = (MembershipInline,)
    fieldsets = (
        (None, {"fields": ("name", "team")}),
        ("Hours and absences", {"fields": ("off_shift", "catches_up")}),
        ("Leads a rep passes on", {"fields": ("declined_for_days", "max_hops", "catch_all")}),
        ("Leads that come back", {"fields": ("returns_to_same_rep", "returns_before_manager")}),
        ("Where new leads are posted", {"fields": ("channels",)}),
    )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        territories = form.instance.memberships.values_list("countries", flat=True)
        _tell_unheard_of(request, sorted({country for each in territories for country in each}))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pool]:
        active = Count("memberships", filter=Q(memberships__is_active=True))
        return super().get_queryset(request).annotate(active_members=active)

    @admin.display(description="active members", ordering="active_members")
    def active_members(self, pool: Pool) -> int:
        count: int = pool.active_members  # type: ignore[attr-defined]
        return count


# --- Rules --------------------------------------------------------------------------------------


class RoutingRuleForm(forms.ModelForm[RoutingRule]):
    countries = lines("Country of the lead, else of the company.")
    industries = lines("Industry of the company.")
    categories = categories()
    sources = lines("Where the lead came from.")
    languages = lines("Language the lead writes or speaks with us.")
    product_lines = lines("What the lead asks about.")
    skills = lines("Only reps who have all of these, by their membership of the pool.")

    class Meta:
        model = RoutingRule
        fields = (
            "name", "position", "is_active", "countries", "industries", "employees_from", "employees_to",
            "categories", "languages", "product_lines", "deal_size_from", "deal_size_to", "sources", "pool",
            "account_owner_first", "strategy", "named_owner", "skills", "speaks_language",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self._check_span("employees", "No company has at least {} and at most {} employees.")
        self._check_span("deal_size", "No deal is worth at least {} and at most {}.")
        named = cleaned.get("strategy") == RoutingRule.Strategy.NAMED_OWNER
        if "named_owner" in cleaned and named != bool(cleaned["named_owner"]):
            sentence = "Name the person." if named else "Only the strategy “A named person” takes a name."
            self.add_error("named_owner", sentence)
        return cleaned

    def _check_span(self, stem: str, sentence: str) -> None:
        low, high = self.cleaned_data.get(f"{stem}_from"), self.cleaned_data.get(f"{stem}_to")
        if low is not None and high is not None and low > high:
            self.add_error(f"{stem}_to", sentence.format(low, high))


@admin.register(RoutingRule)
class RoutingRuleAdmin(EditableListAdmin):
    form = RoutingRuleForm
    list_display = ("name", "position", "leads", "pool", "people", "is_active")
    list_editable = ("position", "is_active")
    list_select_related = ("pool", "named_owner")
    # As rules are tried: at one position the older one first.
    ordering = ("position", "id")
    fieldsets = (
        (None, {"fields": ("name", "position", "is_active")}),
        (
            "Which leads",
            {
                "fields": (
                    "countries", "industries", ("employees_from", "employees_to"), "categories", "languages",
                    "product_lines", ("deal_size_from", "deal_size_to"), "sources",
                ),
                "description": "Rules are tried by position; the first that fits applies. "
                "What is left blank fits any lead.",
            },
        ),
        (
            "Who gets them",
            {
                "fields": (
                    "pool", "account_owner_first", "strategy", "named_owner", "skills", "speaks_language",
                )
            },
        ),
    )  # fmt: skip

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "named_owner":
            workers = User.objects.filter(is_active=True, role__in=(User.Role.BDR, User.Role.MANAGER))
            kwargs["queryset"] = workers.order_by("first_name", "last_name")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_list_display(self, request: HttpRequest) -> Any:
        """With what takes all the leads of a rule; looked up once for the whole list."""

        @cache
        def hidden() -> dict[int, RulePlan]:
            return find_hidden(read_rules())

        @admin.display(description="never applies")
        def hidden_by(rule: RoutingRule) -> str:
            earlier = hidden().get(rule.pk)
            return f"“{earlier.name}” before it takes all its leads" if earlier else ""

        return (*super().get_list_display(request), hidden_by)

    @admin.display(description="for")
    def leads(self, rule: RoutingRule) -> str:
        return leads_in_words(rule)

    @admin.display(description="who gets them")
    def people(self, rule: RoutingRule) -> str:
        return people_in_words(rule)

    def save_model(self, request: HttpRequest, obj: RoutingRule, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        retried = retry_parked_leads(now=timezone.now())
        if retried:
            self.message_user(request, f"{retried} parked leads are tried again.", messages.INFO)
        if obj.is_active:
            self._tell_oddities(request, obj)

    def _tell_oddities(self, request: HttpRequest, rule: RoutingRule) -> None:
        rules = read_rules()
        names = {each.rule_id: each.name for each in rules}
        for hidden, earlier in find_hidden(rules).items():
            if rule.pk in (hidden, earlier.rule_id):
                sentence = f"“{names[hidden]}” never applies: “{earlier.name}” before it takes all its leads."
                self.message_user(request, sentence, messages.WARNING)
        members = PoolMembership.objects.filter(pool=rule.pool, is_active=True)
        if rule.skills and not any(_has_all(member.skills, rule.skills) for member in members):
            sentence = f"Nobody in {rule.pool} has all the skills that “{rule.name}” asks for."
            self.message_user(request, sentence, messages.WARNING)
        if others := RoutingRule.objects.filter(position=rule.position, is_active=True).exclude(pk=rule.pk):
            sentence = f"Position {rule.position} is taken by “{others[0]}” too: the older rule comes first."
            self.message_user(request, sentence, messages.WARNING)
        _tell_unheard_of(request, rule.countries)


def _tell_unheard_of(request: HttpRequest, countries: Iterable[str]) -> None:
    """Countries are compared as texts, so one that is misspelt takes no lead and nobody would notice."""
    for country in countries:
        of_lead, of_company = Q(country__iexact=country), Q(company__country__iexact=country)
        if not Lead.objects.filter(of_lead | of_company).exists():
            sentence = f"No lead comes from “{country}” so far. Is it written as leads write it?"
            messages.warning(request, sentence)


def _has_all(skills: list[str], asked: list[str]) -> bool:
    return {word.casefold() for word in asked} <= {word.casefold() for word in skills}

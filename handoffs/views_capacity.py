"""The panel that holds foretold MQLs against what the BDRs can take. Loaded by other pages by its name."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.roles import role_required
from handoffs.capacity import Load, advise, measure_capacity
from scoring.views.versions import READERS

MOST_WEEKS, MOST_THRESHOLDS = 53, 40
LARGEST = 1_000_000_000
LONGEST = 1_000


class NumberListField(forms.CharField):
    """Whole numbers with commas between them."""

    def __init__(self, *, label: str, most: int) -> None:
        super().__init__(label=label, required=False, max_length=LONGEST)
        self.most = most

    def to_python(self, value: object) -> list[int]:  # type: ignore[override]
        text = super().to_python(value)
        words = text.split(",") if text else []
        if len(words) > self.most:
            raise forms.ValidationError(f"{self.label} takes {self.most} numbers at most.")
        return [self._number(word) for word in words]

    def run_validators(self, value: object) -> None:
        """Bounded while it is read: a list has no length in characters."""

    def _number(self, word: str) -> int:
        if not (word.isascii() and word.isdigit() and len(word) <= 10 and int(word) <= LARGEST):
            raise forms.ValidationError(f"{self.label} takes whole numbers with commas between them.")
        return int(word)


class CapacityForm(forms.Form):
    """MQLs in each week by the draft and by the active version; and in all those weeks by each threshold."""

    draft = NumberListField(label="draft", most=MOST_WEEKS)
    active = NumberListField(label="active", most=MOST_WEEKS)
    thresholds = NumberListField(label="thresholds", most=MOST_THRESHOLDS)
    passed = NumberListField(label="passed", most=MOST_THRESHOLDS)
    threshold = forms.IntegerField(required=False, min_value=0, max_value=LARGEST)

    def clean(self) -> dict[str, object]:
        values = super().clean() or {}
        if not self.errors and len(values["thresholds"]) != len(values["passed"]):
            raise forms.ValidationError("Give as many numbers in passed as in thresholds.")
        return values


@require_GET
@role_required(*READERS)
def capacity_panel(request: HttpRequest) -> HttpResponse:
    form = CapacityForm(request.GET)
    if not form.is_valid():
        refusal = " ".join(str(message) for messages in form.errors.values() for message in messages)
        return render(request, "handoffs/_capacity_panel.html", {"refusal": refusal}, status=422)
    given = form.cleaned_data
    capacity = measure_capacity(now=timezone.now())
    draft, active = Load(given["draft"], capacity), Load(given["active"], capacity)
    weeks = max(1, len(draft.weeks))
    by_threshold = {
        threshold: passed / weeks
        for threshold, passed in zip(given["thresholds"], given["passed"], strict=True)
    }
    context = {
        "capacity": capacity,
        "loads": [(name, load) for name, load in (("This version", draft), ("Active", active)) if load.weeks],
        "advice": advise(draft, threshold=given["threshold"], by_threshold=by_threshold),
    }
    return render(request, "handoffs/_capacity_panel.html", context)

"""What /scoring/prediction/ shows of a report: figures in words, and two charts. No heavy library."""

from __future__ import annotations

from dataclasses import dataclass

from common.charts import Chart, Point, Series, line_chart, percentage
from scoring.models import PredictionModel
from scoring.prediction.candidates import why_not_promotable
from scoring.prediction.report import Difference, Interval, Measured, Report

SHOWN_IMPORTANCES = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One method in the table of figures; each cell with its interval."""

    name: str
    roc_auc: str
    pr_auc: str
    brier: str
    lift: str
    note: str


@dataclass(frozen=True, slots=True)
class ReportText:
    verdict: str
    rows: list[Row]
    comparisons: list[str]
    calibration: Chart
    roc: Chart
    importances: list[str]
    refusal: str
    report: Report


def describe_report(model: PredictionModel) -> ReportText:
    report = Report.from_json(model.report)
    methods = [report.model, *([report.rules] if report.rules else []), report.naive_bayes]
    return ReportText(
        verdict=_verdict(report),
        rows=[_row(method) for method in methods],
        comparisons=[_comparison(each) for each in report.differences],
        calibration=_calibration_chart(report.model),
        roc=_roc_chart(methods),
        importances=[each.sentence for each in report.importances[:SHOWN_IMPORTANCES]],
        refusal=why_not_promotable(model),
        report=report,
    )


def _verdict(report: Report) -> str:
    """The area under the curve, as people can picture it."""
    chance = round(100 * report.model.roc_auc)
    low, high = (round(100 * edge) for edge in report.model.roc_auc_interval)
    return (
        f"Of a lead that succeeded and one that did not, the model puts the right one first {chance} times "
        f"in 100 (between {low} and {high}, with 95 % confidence). Tossing a coin gives 50."
    )


def _comparison(difference: Difference) -> str:
    low, high = difference.roc_auc_interval
    against = "the rules" if difference.against == "rules" else difference.against
    if difference.is_better:
        return f"It beats {against}: ROC-AUC higher by {difference.roc_auc:.3f} ({low:.3f} to {high:.3f})."
    if high < 0:
        return f"It is worse than {against}: ROC-AUC lower by {-difference.roc_auc:.3f}."
    return f"Between it and {against} there is no difference beyond chance ({low:+.3f} to {high:+.3f})."


def _row(method: Measured) -> Row:
    return Row(
        name=method.name.capitalize(),
        roc_auc=_with_interval(method.roc_auc, method.roc_auc_interval),
        pr_auc=_with_interval(method.pr_auc, method.pr_auc_interval),
        brier=_with_interval(method.brier, method.brier_interval),
        lift=f"{method.lift_top_tenth:.1f} ×",
        note=method.note,
    )


def _with_interval(value: float, interval: Interval) -> str:
    return f"{value:.3f} ({interval[0]:.3f}–{interval[1]:.3f})"


def _calibration_chart(model: Measured) -> Chart:
    points: dict[float, Point] = {}
    for band in model.calibration:
        note = f"{band['count']:.0f} leads"
        points[band["said"]] = Point(band["said"] * 100, band["happened"], note=note)
    highest = max((band["said"] for band in model.calibration), default=1.0)
    return line_chart(
        "What was said against what happened",
        [
            Series("Happened", list(points.values())),
            Series("If it were exact", [Point(0, 0.0), Point(highest * 100, highest)]),
        ],
        x_label="Said, in %",
        y_words=percentage,
        summary="Each point is a tenth of the held-out leads. On the straight line the chances are exact.",
        empty="There are no held-out leads.",
    )


def _roc_chart(methods: list[Measured]) -> Chart:
    series = [
        Series(method.name.capitalize(), [Point(round(x * 100, 1), y) for x, y in _without_repeats(method)])
        for method in methods
    ]
    return line_chart(
        "Successes found against failures called",
        [*series, Series("Coin", [Point(0, 0.0), Point(100, 1.0)])],
        x_label="Failures called, in %",
        y_words=percentage,
        y_range=(0, 1),
        summary="The ROC curve of each method on the same held-out leads; the higher, the better.",
    )


def _without_repeats(method: Measured) -> list[tuple[float, float]]:
    """One point for each place on the axis: the highest."""
    return sorted({round(x, 3): y for x, y in sorted(method.roc_curve)}.items())

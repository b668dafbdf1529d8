"""The words and drawings of the shared template tags."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from common.templatetags.portal import ago_words, left_words, points, score_axes, score_grid, share_bar

NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)


def render(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "due now"),
        (45, "45 s left"),
        (60, "1 min left"),
        (12 * 60 + 59, "12 min left"),
        (3600, "1 h left"),
        (80 * 60, "1 h 20 min left"),
        (10 * 3600 + 1800, "10 h left"),
        (47 * 3600, "47 h left"),
        (48 * 3600, "2 d left"),
        (-1, "1 s late"),
        (-2 * 3600, "2 h late"),
        (-3 * 86_400, "3 d late"),
    ],
)
def test_time_left_in_words(seconds: int, words: str) -> None:
    assert left_words(NOW + timedelta(seconds=seconds), NOW) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (59, "just now"),
        (6 * 60, "6 min ago"),
        (80 * 60, "1 h ago"),
        (3 * 86_400, "3 d ago"),
    ],
)
def test_time_gone_by_in_words(seconds: int, words: str) -> None:
    assert ago_words(NOW - timedelta(seconds=seconds), NOW) == words


def test_a_moment_is_shown_in_the_viewers_zone_across_a_change_of_the_clocks() -> None:
    with timezone.override("Europe/Berlin"):
        before = render("{% local_time at %}", at=datetime(2020, 3, 29, 0, 30, tzinfo=UTC))
        after = render("{% local_time at %}", at=datetime(2020, 3, 29, 1, 30, tzinfo=UTC))

    assert ">Sun 29 Mar 2020, 01:30<" in before
    assert 'title="Sun 29 Mar 2020, 01:30:00 CET"' in before
    assert ">Sun 29 Mar 2020, 03:30<" in after
    assert "CEST" in after


def test_todays_moments_are_shown_by_the_hour() -> None:
    now = timezone.now()

    assert f">{now:%H:%M}<" in render("{% local_time at %}", at=now)


@pytest.mark.parametrize("value", [None, "", "yesterday", "2026-03-03T12:00:00"])
def test_what_is_no_moment_is_a_dash(value: str | None) -> None:
    assert render("{% local_time at %}", at=value) == "—"


def test_a_moment_kept_as_text_is_shown_as_one() -> None:
    assert ">Tue 3 Mar 2020, 12:00<" in render("{% local_time at %}", at="2020-03-03T12:00:00+00:00")


@pytest.mark.parametrize(
    ("due_in", "warn_in", "state"),
    [(3600, 1800, "ok"), (3600, -1, "warn"), (-60, -1800, "late"), (60, None, "ok")],
)
def test_a_countdown_has_a_state_for_its_icon_and_colour(
    due_in: int, warn_in: int | None, state: str
) -> None:
    now = timezone.now()
    warn_at = now + timedelta(seconds=warn_in) if warn_in is not None else None

    shown = render("{% countdown due warn %}", due=now + timedelta(seconds=due_in), warn=warn_at)

    assert f'data-state="{state}"' in shown
    assert "data-countdown" in shown


def test_points_carry_their_sign() -> None:
    assert [points(20), points(0), points(-5)] == ["+20", "+0", "−5"]


def test_axes_never_leave_their_field() -> None:
    assert 'width="44"' in score_axes(500, 400, 100)
    assert 'width="0"' in score_axes(-5, -5, 0)
    assert 'cx="114" cy="12"' in score_grid(10**6, 10**6)
    assert 'cx="22" cy="104"' in score_grid(-50, -50)


def test_a_share_of_nothing_is_no_bar() -> None:
    assert 'class="fill" width="0"' in share_bar(0, 0)
    assert 'class="fill" width="25.0"' in share_bar(1, 4)


def test_an_address_keeps_the_other_filters() -> None:
    request = RequestFactory().get("/leads/?q=a%26b&stage=mql&after=x")

    changed = render("{% with_query after=None page=2 %}", request=request)

    assert changed == "?q=a%26b&amp;stage=mql&amp;page=2"


def test_an_icon_without_a_label_is_silent() -> None:
    assert 'aria-hidden="true"' in render('{% icon "clock" %}')
    assert 'role="img" aria-label="Due &lt;soon&gt;"' in render(
        '{% icon "clock" label %}', label="Due <soon>"
    )

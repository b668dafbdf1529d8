"""SLA-7: the pages of the service levels, who may open them, and what they cost."""

from __future__ import annotations

import csv
import html
import io
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from sla.models import Clock
from tests.factories import LeadFactory, UserFactory
from tests.sla.factories import ClockFactory

MINUTE = timedelta(minutes=1)


@pytest.fixture
def as_manager(client, manager):
    client.force_login(manager)
    return client


def late_clock(owner, *, minutes=90, **fields) -> Clock:
    """A clock of an hour that started so many minutes ago, on record if it is late."""
    now = timezone.now()
    recorded = {"breach_recorded_at": now, "warn_at": None} if minutes > 60 else {}
    return ClockFactory(owner=owner, started_at=now - minutes * MINUTE, **(recorded | fields))


PAGES = ["/sla/", "/sla/breaches/", "/sla/breaches.csv"]


@pytest.mark.parametrize("path", PAGES)
def test_managers_and_readers_open_the_pages(client, manager, reader, path):
    for person in (manager, reader):
        client.force_login(person)
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_reps_and_marketing_do_not(client, bdr, marketing, path):
    for person in (bdr, marketing):
        client.force_login(person)
        assert client.get(path).status_code == 403


@pytest.mark.parametrize("path", [*PAGES, "/sla/breaches/1/", "/sla/clocks/1/why/", "/sla/leads/1/panel/"])
def test_strangers_are_sent_to_sign_in(client, db, path):
    response = client.get(path)

    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


# --- The live board -----------------------------------------------------------------------------


def test_an_empty_board_says_what_starts_a_clock(as_manager):
    assert "No clock is running" in as_manager.get("/sla/").content.decode()


def test_a_board_with_nothing_urgent_says_so(as_manager, bdr):
    late_clock(bdr, minutes=5)

    assert "Everything is on time" in as_manager.get("/sla/").content.decode()


def test_the_board_is_exact_though_no_sweep_has_run(as_manager, bdr, other_bdr):
    late = late_clock(bdr, breach_recorded_at=None)
    at_risk = late_clock(other_bdr, minutes=45)
    fine = late_clock(other_bdr, minutes=5)

    board = as_manager.get("/sla/").context["board"]

    assert list(board.late) == [late]
    assert list(board.at_risk) == [at_risk]
    assert fine not in (*board.late, *board.at_risk)
    assert [(tally.name, tally.late, tally.at_risk) for tally in board.people] == [
        ("Mara Lind", 1, 0),
        ("Theo Falk", 0, 1),
    ]
    assert [(tally.name, tally.late, tally.at_risk) for tally in board.teams] == [("Inbound Europe", 1, 1)]
    assert (board.missed_recently, board.to_review) == (1, 0)


def test_the_figures_of_a_team_lead_to_its_breaches(as_manager, bdr):
    week_ago = timezone.localdate(timezone.now() - timedelta(days=7))
    late_clock(bdr)

    page = as_manager.get("/sla/", {"team": bdr.team_id}).content.decode()

    assert f'href="/sla/breaches/?team={bdr.team_id}&since={week_ago}"' in html.unescape(page)
    assert f'href="/sla/breaches/?team={bdr.team_id}&cause=to_review"' in html.unescape(page)


def test_figures_of_a_year_of_neglect_are_not_counted_to_the_end(as_manager, bdr, monkeypatch):
    monkeypatch.setattr("sla.board.MOST_COUNTED", 3)
    monkeypatch.setattr("sla.templatetags.sla_times.MOST_COUNTED", 3)
    for _ in range(5):
        late_clock(bdr)

    page = as_manager.get("/sla/")

    assert page.context["board"].to_review == 3
    assert '<span class="tile-value">2+</span>' in page.content.decode()


def test_the_board_counts_down_to_the_stored_due_time(as_manager, bdr):
    clock = late_clock(bdr, minutes=45)

    page = as_manager.get("/sla/").content.decode()

    assert f'datetime="{clock.due_at.isoformat()}" data-countdown' in page
    assert 'data-state="warn"' in page


def test_the_board_of_one_team_leaves_others_out(as_manager, bdr, stranger):
    mine = late_clock(bdr)
    late_clock(stranger)

    board = as_manager.get("/sla/", {"team": bdr.team_id}).context["board"]

    assert list(board.late) == [mine]


@pytest.mark.parametrize("damaged", ["", "x", "0", "9" * 30, "-1", "1.5"])
def test_a_damaged_team_filter_shows_all(as_manager, bdr, damaged):
    late = late_clock(bdr)

    assert list(as_manager.get("/sla/", {"team": damaged}).context["board"].late) == [late]


def test_a_poll_that_would_show_the_same_is_answered_304(as_manager, bdr):
    clock = late_clock(bdr)
    poll = {"HX-Request": "true"}
    first = as_manager.get("/sla/", headers=poll)
    assert "<html" not in first.content.decode()

    again = as_manager.get("/sla/", headers=poll | {"If-None-Match": first["ETag"]})
    Clock.objects.filter(pk=clock.pk).update(outcome="done", stopped_at=timezone.now())
    changed = as_manager.get("/sla/", headers=poll | {"If-None-Match": first["ETag"]})

    assert (again.status_code, changed.status_code) == (304, 200)


def test_the_board_costs_the_same_whatever_its_length(as_manager, bdr, other_bdr, django_assert_num_queries):
    def fill() -> None:
        for owner in (bdr, other_bdr, UserFactory()):
            late_clock(owner)
            late_clock(owner, minutes=45)

    fill()
    as_manager.get("/sla/")
    with django_assert_num_queries(15):
        as_manager.get("/sla/")
    fill()
    with django_assert_num_queries(15):
        as_manager.get("/sla/")


# --- Breaches -----------------------------------------------------------------------------------


def rows_of(response) -> list[Clock]:
    return list(response.context["page"].rows)


def test_breaches_are_listed_latest_first_with_those_of_the_last_seconds(as_manager, bdr):
    older = late_clock(bdr, minutes=500)
    recorded = late_clock(bdr, minutes=90)
    fresh = late_clock(bdr, minutes=61, breach_recorded_at=None)
    late_clock(bdr, minutes=30)

    assert rows_of(as_manager.get("/sla/breaches/")) == [fresh, recorded, older]


def test_an_empty_list_says_so(as_manager, bdr):
    assert "No target was missed" in as_manager.get("/sla/breaches/").content.decode()
    late_clock(bdr)
    filtered = as_manager.get("/sla/breaches/", {"cause": "routing"}).content.decode()
    assert "Nothing matches" in filtered


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"kind": "opened"}, ["opened"]),
        ({"cause": "capacity"}, ["reviewed"]),
        ({"cause": "to_review"}, ["opened", "theirs", "old"]),
        ({"owner": "theo"}, ["theirs"]),
        ({"team": "Inbound Europe"}, ["opened", "reviewed", "theirs", "old"]),
        ({"since": 2}, ["opened", "reviewed", "theirs"]),
        ({"until": 2}, ["old"]),
    ],
)
def test_filters_narrow_the_list(as_manager, manager, bdr, other_bdr, query, found):
    now = timezone.now()
    clocks = {
        late_clock(bdr, minutes=70, kind="opened"): "opened",
        late_clock(bdr, minutes=80, cause="capacity", reviewed_by=manager, reviewed_at=now): "reviewed",
        late_clock(other_bdr, minutes=90): "theirs",
        late_clock(bdr, minutes=10 * 1440): "old",
    }
    values = {
        "theo": other_bdr.pk,
        "Inbound Europe": bdr.team_id,
        2: (timezone.localdate() - timedelta(days=2)).isoformat(),
    }
    query = {name: values.get(value, value) for name, value in query.items()}

    response = as_manager.get("/sla/breaches/", query)

    assert [clocks[clock] for clock in rows_of(response)] == found


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "nonsense"},
        {"owner": "x"},
        {"team": "9" * 30},
        {"since": "yesterday"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"since": "2026-03-02", "until": "2026-03-01"},
        {"owner": "a\x00b"},
        {"after": "nonsense"},
        {"after": "2026-03-01T00:00:00+00:00~99999999999999999999"},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_with_words(as_manager, query):
    response = as_manager.get("/sla/breaches/", query)

    assert response.status_code == 422


def test_pages_go_on_where_the_last_one_ended(as_manager, bdr):
    now = timezone.now()
    lead = LeadFactory()
    Clock.objects.bulk_create(
        ClockFactory.build(
            lead=lead, owner=bdr, started_at=now - (100 + number // 2) * MINUTE, breach_recorded_at=now
        )
        for number in range(120)
    )

    seen, after = [], ""
    while True:
        page = as_manager.get("/sla/breaches/", {"after": after}).context["page"]
        seen += [clock.pk for clock in page.rows]
        after = page.next_key
        if not after:
            break

    assert seen == list(Clock.objects.order_by("-due_at", "-pk").values_list("pk", flat=True))


def test_the_list_costs_the_same_whatever_its_length(as_manager, bdr, other_bdr, django_assert_num_queries):
    late_clock(bdr)
    as_manager.get("/sla/breaches/")
    with django_assert_num_queries(7):
        as_manager.get("/sla/breaches/")
    for owner in (other_bdr, UserFactory(), UserFactory()):
        late_clock(owner)
    with django_assert_num_queries(7):
        as_manager.get("/sla/breaches/")


def test_csv_has_the_same_rows_and_nothing_a_spreadsheet_would_run(as_manager, bdr):
    lead = LeadFactory(first_name="=HYPERLINK(1)", last_name="")
    late_clock(bdr, lead=lead)
    late_clock(bdr, minutes=61, breach_recorded_at=None)
    late_clock(bdr, minutes=10)

    response = as_manager.get("/sla/breaches.csv")

    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert len(rows) == 2
    assert {row["lead"] for row in rows} >= {"'=HYPERLINK(1)"}
    assert rows[0]["owner"] == "Mara Lind"
    assert all(60 <= int(row["seconds_late"]) <= 1802 for row in rows)


# --- Review -------------------------------------------------------------------------------------


def test_a_breach_shows_why_it_was_due_then(as_manager, bdr):
    clock = late_clock(bdr)

    page = as_manager.get(f"/sla/breaches/{clock.pk}/").content.decode()

    assert "Why was this due then?" in page
    assert "Within 1 hour, around the clock" in page
    assert "1 h counted in all" in page


def test_a_manager_names_the_cause(as_manager, manager, bdr):
    clock = late_clock(bdr)

    response = as_manager.post(f"/sla/breaches/{clock.pk}/", {"cause": "routing", "note": "Wrong pool"})

    clock.refresh_from_db()
    assert response.status_code == 302
    assert "The review is kept." in as_manager.get(response["Location"]).content.decode()
    assert (clock.cause, clock.review_note, clock.reviewed_by) == ("routing", "Wrong pool", manager)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"note": "kept"}, "Choose what in the system led to this."),
        ({"cause": "blame"}, "Select a valid choice"),
        ({"cause": "other", "note": "x" * 1001}, "at most 1000 characters"),
        ({"cause": "other", "note": "a\x00"}, "Null characters"),
    ],
)
def test_a_review_that_cannot_be_kept_is_refused_and_what_was_typed_stays(as_manager, bdr, data, sentence):
    clock = late_clock(bdr)

    response = as_manager.post(f"/sla/breaches/{clock.pk}/", data)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert Clock.objects.get().cause == ""


def test_readers_read_and_do_not_review(client, reader, bdr):
    clock = late_clock(bdr)
    client.force_login(reader)

    assert "Save the review" not in client.get(f"/sla/breaches/{clock.pk}/").content.decode()
    assert client.post(f"/sla/breaches/{clock.pk}/", {"cause": "other"}).status_code == 403


def test_what_is_in_time_has_no_review(as_manager, bdr):
    clock = late_clock(bdr, minutes=10)

    assert as_manager.get(f"/sla/breaches/{clock.pk}/").status_code == 404


# --- The panel of a lead ------------------------------------------------------------------------


def panel_of(client, person: User, clock: Clock):
    client.force_login(person)
    return client.get(f"/sla/leads/{clock.lead_id}/panel/")


def owned_lead(owner: User):
    return LeadFactory(owner=owner, team=owner.team)


def test_a_rep_sees_the_clocks_of_their_lead_and_strangers_get_404(client, bdr, stranger):
    clock = late_clock(bdr, minutes=10, lead=owned_lead(bdr))

    mine, theirs = panel_of(client, bdr, clock), panel_of(client, stranger, clock)

    assert "First contact" in mine.content.decode()
    assert theirs.status_code == 404


def test_a_lead_without_clocks_says_when_they_start(client, bdr):
    lead = owned_lead(bdr)
    client.force_login(bdr)

    assert "No clocks yet" in client.get(f"/sla/leads/{lead.pk}/panel/").content.decode()


def test_why_then_is_for_those_who_may_see_the_clock(client, bdr, stranger):
    clock = late_clock(bdr, minutes=10, lead=owned_lead(bdr))
    client.force_login(bdr)
    assert "counted in all" in client.get(f"/sla/clocks/{clock.pk}/why/").content.decode()

    client.force_login(stranger)
    assert client.get(f"/sla/clocks/{clock.pk}/why/").status_code == 404


def test_the_owner_pauses_with_a_reason_and_resumes(client, bdr):
    clock = late_clock(bdr, minutes=10, lead=owned_lead(bdr))
    client.force_login(bdr)

    refused = client.post(f"/sla/clocks/{clock.pk}/pause/", {"reason": " "})
    paused = client.post(f"/sla/clocks/{clock.pk}/pause/", {"reason": "On holiday"})
    resumed = client.post(f"/sla/clocks/{clock.pk}/resume/")
    # The keyboard goes on where it was: the panel is drawn anew.
    assert all(panel.content.decode().count(" autofocus>") == 1 for panel in (paused, resumed))

    assert (refused.status_code, paused.status_code, resumed.status_code) == (422, 200, 200)
    assert "Say what the clock waits for." in refused.content.decode()
    assert "On holiday" in paused.content.decode()
    assert Clock.objects.get().paused_at is None


def test_a_colleague_may_look_but_not_pause(client, bdr, other_bdr):
    clock = late_clock(bdr, minutes=10, lead=owned_lead(bdr))
    client.force_login(other_bdr)

    assert "Pause" not in panel_of(client, other_bdr, clock).content.decode()
    assert client.post(f"/sla/clocks/{clock.pk}/pause/", {"reason": "x"}).status_code == 403


def test_the_panel_says_how_long_a_pause_may_last_and_when_it_ends(client, bdr):
    clock = late_clock(bdr, minutes=10, lead=owned_lead(bdr), max_pause_minutes=90)
    before = panel_of(client, bdr, clock).content.decode()

    response = client.post(f"/sla/clocks/{clock.pk}/pause/", {"reason": "The lead is away"})

    assert "At most 1 hour 30 minutes in all" in before
    assert '<option value="The lead is away">' in before
    assert "Goes on by itself" in response.content.decode()


def test_the_panel_offers_no_pause_where_the_policy_allows_none(client, bdr):
    clock = late_clock(bdr, minutes=10, lead=owned_lead(bdr), max_pause_minutes=0)

    shown = panel_of(client, bdr, clock).content.decode()
    refused = client.post(f"/sla/clocks/{clock.pk}/pause/", {"reason": "Waits"})

    assert "Cannot be paused" in shown
    assert f"/sla/clocks/{clock.pk}/pause/" not in shown
    assert refused.status_code == 409


def test_the_panel_costs_the_same_whatever_its_length(client, bdr, django_assert_num_queries):
    clock = late_clock(bdr, minutes=10, lead=owned_lead(bdr))
    panel_of(client, bdr, clock)
    with django_assert_num_queries(5):
        client.get(f"/sla/leads/{clock.lead_id}/panel/")
    for _ in range(4):
        late_clock(bdr, lead=clock.lead)
    with django_assert_num_queries(5):
        client.get(f"/sla/leads/{clock.lead_id}/panel/")

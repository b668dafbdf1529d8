"""Two thousand leads on both sides, and what people do to them here and there."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts.models import User
from common.errors import DomainError
from crm.models import Connection, FieldMapping, LeadSync
from crm.owners import map_owner
from crm.standin.conversion import convert_lead, merge_leads
from crm.standin.errors import ApiError
from crm.standin.faults import Fault, FaultBoard, parse_fault
from crm.standin.org import Caller
from crm.standin.schema import LEAD
from crm.standin.server import StandIn
from crm.standin.store import Record
from feedback.models import Verdict
from feedback.services import reject_handoff
from handoffs.contact.services import record_attempt
from handoffs.models import Attempt, Handoff
from handoffs.routing.reassignment import reassign_handoff
from handoffs.services import accept_handoff
from leads.models import Lead, LeadEvent
from leads.services import Entry, assign_leads, correct_lead
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET
from tests.desk import do, load_desk, offer, reason
from tests.factories import CompanyFactory, LeadFactory, UserFactory
from tests.soak.clock import SharedClock
from tests.soak.oracle import Oracle, Rule, Side

# Ours, theirs, and the rule: one field of each kind.
FIELDS = {
    "title": ("Title", Rule("both", "newest")),
    "first_name": ("FirstName", Rule("both", "newest", sends_blanks=True)),
    "phone": ("Phone", Rule("both", "ours_if_blank")),
    "website": ("Website", Rule("both", "ours")),
    "country": ("Country", Rule("both", "theirs")),
    "budget": ("Portal_Budget__c", Rule("pull", "theirs")),
    "timeline": ("Portal_Timeline__c", Rule("push")),
}
OWNER = "owner"
LEAD_KEY, TASK_KEY = "Portal_Lead_Id__c", "Portal_Task_Id__c"
RULES = {name: rule for name, (_, rule) in FIELDS.items()} | {OWNER: Rule("both", "newest")}
# What the poll settles by its times, and a push that looks first leaves alone.
CONTESTED = [name for name, rule in RULES.items() if rule.direction == "both" and name != OWNER]
WRITTEN_HERE = [name for name in FIELDS if RULES[name].direction != "pull"]
WRITTEN_THERE = [name for name in FIELDS if RULES[name].direction != "push"]
MAY_BE_EMPTIED = ("first_name",)
TRACKED = ["Status", "OwnerId", *(theirs for theirs, rule in FIELDS.values() if rule.precedence == "newest")]
STATUSES = ("Open - Not Contacted", "Working - Contacted", "Closed - Not Converted")

# Each strikes so many calls in a hundred: a fifth of all, together.
FAULTS = {
    "maintenance": 4,
    "unavailable": 2,
    "empty": 1,
    "session": 3,
    "slow": 3,
    "reset": 3,
    "reset_after": 4,
    "long_calls": 2,
}
# Of the calls that write many rows, and a part of these.
ROW_FAULTS = {"row_lock": 8, "flow": 4}
ROWS_STRUCK = 0.1
SLOW_SECONDS = 0.05


class CountingBoard(FaultBoard):
    """Faults that outlive a restart, and how many calls they struck."""

    calls = struck = 0

    def draw(self, operation: str) -> Fault | None:
        fault = super().draw(operation)
        self.calls += 1
        self.struck += fault is not None
        return fault


class World:
    """Both sides. Whatever is drawn is drawn from one seed."""

    def __init__(self, *, seed: int, leads: int, clock: SharedClock, state: Path) -> None:
        self._seed, self._acts = seed, count(1)
        self.chance = random.Random(seed)
        self.clock, self.oracle = clock, Oracle(RULES)
        self.done: Counter[str] = Counter()
        self._state, self.board = state, CountingBoard(seed)
        self._port = 0
        self.standin = self._start()
        self._port = int(self.standin.base_url.rpartition(":")[2])
        self.standin.org.change_setup(
            tracked_fields=TRACKED, late_commit_seconds=120.0, late_commit_share=0.2
        )
        self._numbers = count(1)
        self._set_up(leads)

    # --- How it begins ----------------------------------------------------------------------------

    def _set_up(self, leads: int) -> None:
        now = self.clock()
        self.manager = UserFactory(username="nia", role=User.Role.MANAGER)
        self.reps = [UserFactory(username=f"rep{n}", role=User.Role.BDR) for n in range(6)]
        load_desk(now=now)
        Connection.objects.create(bulk_from=300, daily_share=100)
        self.users = {
            rep.pk: self.standin.org.add_user(rep.first_name, rep.last_name, rep.email)
            for rep in [*self.reps, self.manager]
        }
        for rep in [*self.reps, self.manager]:
            map_owner(rep, salesforce_user_id=self.users[rep.pk], now=now)
        for name, (theirs, rule) in FIELDS.items():
            FieldMapping.objects.filter(salesforce_field=theirs).delete()
            FieldMapping.objects.create(
                portal_field=name,
                salesforce_field=theirs,
                direction=rule.direction,
                rule=rule.precedence,
                sends_blanks=rule.sends_blanks,
            )
        companies = [CompanyFactory() for _ in range(20)]
        made = [
            LeadFactory.build(
                company=companies[n % len(companies)],
                owner=self.reps[n % len(self.reps)] if n % 3 else None,
                phone=f"+49 30 {n}",
                created_at=now,
            )
            for n in range(leads)
        ]
        for lead in Lead.objects.bulk_create(made):
            self.oracle.begin(str(lead.public_id), self._held(lead))
        self.ids = dict(Lead.objects.values_list("pk", "public_id"))
        self.handed_over: list[int] = []
        # Leads whose record there is converted, merged away or deleted, by what became of it.
        self.gone: dict[int, str] = {}
        self.statuses_set: dict[int, set[str]] = {}

    def _start(self) -> StandIn:
        """The org, from its file."""
        standin = StandIn(
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            port=self._port,
            state=self._state,
            clock=self.clock,
            daily_limit=1_000_000,
            faults=self.board,
        )
        return standin.__enter__()

    def restart(self) -> None:
        self.standin.__exit__(None, None, None)
        self.standin = self._start()
        self.done["restart"] += 1

    def close(self) -> None:
        self.standin.__exit__(None, None, None)

    # --- Trouble ----------------------------------------------------------------------------------

    def let_faults_strike(self) -> None:
        for preset, percent in FAULTS.items():
            self._add(preset, percent, operation="any")
        for preset, percent in ROW_FAULTS.items():
            self._add(preset, percent, operation="collections", share=ROWS_STRUCK)

    def _add(self, preset: str, percent: int, **more: Any) -> None:
        seconds = {"seconds": SLOW_SECONDS} if preset == "slow" else {}
        fault: Fault = parse_fault(
            {"preset": preset, "times": 0, "probability": percent / 100, **more, **seconds}
        )
        self.board.add(fault)

    def calm(self) -> None:
        self.board.clear()

    # --- What people do here ------------------------------------------------------------------------

    def _draw_anew(self) -> None:
        """What the last act drew, which depends on how far the workers were, sways no other."""
        self.chance.seed(f"{self._seed}, act {next(self._acts)}")

    def change_here(self) -> None:
        self._draw_anew()
        act = self.chance.choices(
            (
                self._correct,
                self._hand_off,
                self._accept,
                self._reject,
                self._reassign,
                self._try,
                self._give,
            ),
            (50, 14, 8, 4, 8, 8, 8),
        )[0]
        name = act.__name__.strip("_")
        try:
            act()
        except DomainError:
            # Sales was quicker, in Salesforce.
            self.done[f"{name} refused"] += 1
        else:
            self.done[name] += 1

    def _here(self, lead_id: int, act: Callable[[Lead], object]) -> None:
        """Have somebody do it, and note what that wrote."""
        with transaction.atomic():
            lead = Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
            before = self._held(lead)
            act(lead)
            after = self._held(Lead.objects.get(pk=lead_id))
        for name, value in after.items():
            # A lead that is nobody's here keeps the owner that it has there.
            if value != before[name] and (value or name != OWNER):
                self._note(lead_id, name, Side.HERE, value, held=before[name])

    def _correct(self) -> None:
        name = self.chance.choice(WRITTEN_HERE)
        value = self._fresh(name)
        self._here(
            self._any_lead(),
            lambda lead: correct_lead(lead, changes={name: value}, by=None, at=self.clock(), via="soak"),
        )

    def _hand_off(self) -> None:
        lead_id = self._any_lead()
        if lead_id in self.handed_over:
            return
        self.handed_over.append(lead_id)

        def act(lead: Lead) -> None:
            do(lead, "Demo Requested", now=self.clock(), form="demo")
            offer(lead, now=self.clock())

        self._here(lead_id, act)

    def _with_handoff(self, act: Callable[[Handoff, User], object]) -> None:
        handoffs = Handoff.objects.open().exclude(owner=None).select_related("owner")
        found = list(handoffs.filter(lead__in=self.handed_over).order_by("pk"))
        if found:
            handoff = self.chance.choice(found)
            self._here(handoff.lead_id, lambda lead: act(handoff, handoff.owner))

    def _accept(self) -> None:
        self._with_handoff(lambda handoff, owner: accept_handoff(handoff, by=owner, now=self.clock()))

    def _reject(self) -> None:
        why = reason("premature")
        self._with_handoff(
            lambda handoff, owner: reject_handoff(
                handoff, reason=why, note="In May", by=owner, via=Verdict.Via.PAGE, now=self.clock()
            )
        )

    def _reassign(self) -> None:
        to = self.chance.choice(self.reps)
        self._with_handoff(
            lambda handoff, _: reassign_handoff(
                handoff, to=to, by=self.manager, now=self.clock(), reason="Holidays"
            )
        )

    def _try(self) -> None:
        self._with_handoff(
            lambda handoff, owner: record_attempt(
                handoff,
                channel=Attempt.Channel.CALL,
                outcome=Attempt.Outcome.NO_ANSWER,
                by=owner,
                now=self.clock(),
            )
        )

    def _give(self) -> None:
        """A lead that is not handed over gets another owner."""
        lead_id, rep = self._any_lead(), self.chance.choice(self.reps)
        if lead_id in self.handed_over:
            return
        entry = Entry(lead_id, LeadEvent.Kind.ASSIGNED, {"owner_id": rep.pk})
        self._here(lead_id, lambda lead: assign_leads({lead.pk: (rep, rep.team)}, [entry], at=self.clock()))

    def change_all_here(self, share: float) -> None:
        """An import that names a campaign for many leads at once."""
        chosen = self.chance.sample(sorted(self.ids), int(len(self.ids) * share))
        campaign = f"Campaign {next(self._numbers)}"
        for start in range(0, len(chosen), 500):
            self._import(chosen[start : start + 500], campaign)
        self.done["imported"] += len(chosen)

    def _import(self, lead_ids: list[int], campaign: str) -> None:
        with transaction.atomic():
            leads = list(Lead.objects.filter(pk__in=lead_ids).order_by("pk").select_for_update(no_key=True))
            for lead in leads:
                lead.campaign, lead.revision = campaign, lead.revision + 1
            Lead.objects.bulk_update(leads, ["campaign", "revision"])

    # --- What people do there -----------------------------------------------------------------------

    def change_there(self, *, is_being_sent: bool) -> None:
        """`is_being_sent`: between our look and our write nobody corrects what both sides may, as no call can
        write only what was not changed since; see `crm.contested`."""
        self._draw_anew()
        act = self.chance.choices(
            (
                self._correct_there,
                self._set_status,
                self._set_owner,
                self._convert,
                self._merge,
                self._delete,
            ),
            (60, 15, 20, 1, 1, 1),
        )[0]
        name = act.__name__.strip("_")
        if is_being_sent and act in (self._correct_there, self._set_owner):
            name, act = "correct_there", self._answer_there
        try:
            self.done[name] += bool(act())
        except ApiError:
            self.done[f"{name} refused"] += 1

    def _there(self, lead_id: int, name: str, field: str, value: str) -> bool:
        """Have somebody in Salesforce write a value, and note it."""
        agreed = LeadSync.objects.filter(pk=lead_id).values_list("acknowledged", flat=True).first() or {}
        with self.standin.org.store.transaction():
            record = self.record_of(lead_id)
            if record is None or (record[field] or "") == value:
                return False
            held = self._told(name, record[field])
            self._edit(record, {field: value or None})
        self._note(lead_id, name, Side.THERE, value, held=held, is_agreed=(agreed.get(field) or "") == held)
        return True

    def _correct_there(self) -> bool:
        name = self.chance.choice(WRITTEN_THERE)
        return self._there(self._any_lead(), name, FIELDS[name][0], self._fresh(name))

    def _answer_there(self) -> bool:
        """A field that the portal only reads."""
        return self._there(self._any_lead(), "budget", FIELDS["budget"][0], self._fresh("budget"))

    def _set_status(self) -> bool:
        lead_id = self._any_lead()
        record = self.record_of(lead_id)
        if record is None:
            return False
        status = self.chance.choice(STATUSES)
        self._edit(record, {"Status": status})
        self.statuses_set.setdefault(lead_id, set()).add(status)
        return True

    def _set_owner(self) -> bool:
        rep = self.chance.choice(self.reps)
        return self._there(self._any_lead(), OWNER, "OwnerId", self.users[rep.pk])

    def _convert(self) -> bool:
        lead_id = self._any_lead()
        record = self.record_of(lead_id)
        if record is None or record["OwnerId"] == self.standin.org.queue_id:
            return False
        convert_lead(self.standin.org, record["Id"], by=self._caller.user_id, amount=1000)
        self.gone[lead_id] = "converted"
        return True

    def _merge(self) -> bool:
        lead_id, other_id = self._any_lead(), self._any_lead()
        record, other = self.record_of(lead_id), self.record_of(other_id)
        if lead_id == other_id or record is None or other is None:
            return False
        merge_leads(self.standin.org, record["Id"], [other["Id"]], by=self._caller.user_id)
        self.gone[other_id] = "merged"
        return True

    def _delete(self) -> bool:
        lead_id = self._any_lead()
        record = self.record_of(lead_id)
        if record is None:
            return False
        self.standin.org.delete(LEAD, record["Id"], caller=self._caller)
        self.gone[lead_id] = "deleted"
        return True

    def _edit(self, record: Record, values: Mapping[str, object]) -> None:
        self.standin.org.update(LEAD, record["Id"], values, caller=self._caller)

    @property
    def _caller(self) -> Caller:
        return Caller(self.standin.org.sales_user_id, auto_assign=False)

    # --- What there is ------------------------------------------------------------------------------

    def _any_lead(self) -> int:
        """Some leads see more than others, so that changes meet."""
        pool = sorted(self.ids)
        if self.handed_over and self.chance.random() < 0.3:
            return self.chance.choice(self.handed_over)
        few = self.chance.random() < 0.5
        return pool[self.chance.randrange(len(pool) // 20 if few else len(pool))]

    def _fresh(self, name: str) -> str:
        """A value that nobody wrote before; now and then none."""
        number = next(self._numbers)
        if name in MAY_BE_EMPTIED and self.chance.random() < 0.05:
            return ""
        match name:
            case "phone":
                return f"+49 89 {number}"
            case "website":
                return f"https://site{number}.example"
        return f"{name.capitalize()} {number}"

    def record_of(self, lead_id: int) -> Record | None:
        """The live record there that has this lead's key."""
        found = self.standin.store.find(LEAD.name, LEAD_KEY, str(self.ids[lead_id]))
        return found[0] if found and not found[0]["IsConverted"] else None

    def _held(self, lead: Lead) -> dict[str, str]:
        return {name: getattr(lead, name) for name in FIELDS} | {
            OWNER: self.users.get(lead.owner_id or 0, "")
        }

    def _note(
        self, lead_id: int, name: str, side: Side, value: str, *, held: str, is_agreed: bool = True
    ) -> None:
        history = self.oracle.of(str(self.ids[lead_id]), name)
        history.note(side, value, at=self.clock(), held=held, is_agreed=is_agreed)

    def both_sides(self, lead: Lead, record: Record) -> tuple[dict[str, str], dict[str, str]]:
        there = {name: self._told(name, record[theirs]) for name, (theirs, _) in FIELDS.items()}
        here = self._held(lead)
        # A lead that is nobody's here keeps the owner that it has there.
        owner = self._told(OWNER, record["OwnerId"]) if here[OWNER] else ""
        return here, there | {OWNER: owner}

    def _told(self, name: str, value: str | None) -> str:
        """Blank is also an owner whom the portal does not know."""
        is_stranger = name == OWNER and value not in self.users.values()
        return "" if value is None or is_stranger else value

"""The invented sales and marketing departments: people, teams, working hours, pools, routing, keys."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from accounts.models import Absence, ApiToken, Team, User
from accounts.tokens import digest_of
from handoffs.models import Attempt, PackageStandard, Playbook, Pool, PoolMembership, RoutingRule
from leads.models import WriteKey
from operations.demo.places import PLACES
from sla.models import Calendar, CalendarInterval, CalendarPerson

Role = User.Role

EUROPE = "Inbound Europe"
AMERICAS = "Inbound Americas"
AMERICAN_COUNTRIES = ["United States", "Canada"]
LARGE_FROM = 600
# Per cent of a complete package under which marketing is asked for the rest: one gap is enough.
GAPS_BELOW = 90


@dataclass(frozen=True)
class Employee:
    """One demo user. The login page offers the first of each role, of BDRs and marketing the first two."""

    username: str
    first_name: str
    last_name: str
    role: User.Role
    team: str
    time_zone: str
    calendar: str


STAFF = (
    Employee("mara", "Mara", "Lind", Role.BDR, EUROPE, "Europe/Berlin", "Berlin office"),
    Employee("theo", "Theo", "Falk", Role.BDR, EUROPE, "Europe/Berlin", "Berlin office"),
    Employee("grace", "Grace", "Okoro", Role.BDR, EUROPE, "Europe/London", "London office"),
    Employee("marcus", "Marcus", "Reed", Role.BDR, AMERICAS, "America/New_York", "New York office"),
    Employee("dana", "Dana", "Flores", Role.BDR, AMERICAS, "America/Chicago", "Chicago, from home"),
    Employee("jo", "Jo", "Marks", Role.MARKETING, "", "Europe/London", "London office"),
    Employee("lee", "Lee", "Sato", Role.MARKETING, "", "Europe/London", "London office"),
    Employee("nia", "Nia", "Berg", Role.MANAGER, EUROPE, "Europe/Berlin", "Berlin office"),
    Employee("ola", "Ola", "Kern", Role.OPERATOR, "", "Europe/Berlin", "Berlin office"),
    Employee("rae", "Rae", "Wolf", Role.READ_ONLY, "", "Europe/London", "London office"),
)


@dataclass(frozen=True)
class Office:
    """A calendar: where it is, whose public holidays it keeps, and its hours on Mon–Thu and on Friday."""

    name: str
    time_zone: str
    holiday_country: str
    holiday_subdivision: str
    hours: tuple[tuple[time, time], ...]
    friday_hours: tuple[tuple[time, time], ...]


OFFICES = (
    Office(
        "Berlin office",
        "Europe/Berlin",
        "DE",
        "BE",
        ((time(9), time(12, 30)), (time(13, 15), time(18))),
        ((time(9), time(12, 30)), (time(13, 15), time(16, 30))),
    ),
    Office(
        "London office",
        "Europe/London",
        "GB",
        "ENG",
        ((time(9), time(17, 30)),),
        ((time(9), time(17)),),
    ),
    Office(
        "New York office",
        "America/New_York",
        "US",
        "NY",
        ((time(9), time(18)),),
        ((time(9), time(17)),),
    ),
    Office(
        "Chicago, from home",
        "America/Chicago",
        "US",
        "IL",
        ((time(8), time(12)), (time(13), time(17))),
        ((time(8), time(14)),),
    ),
)


@dataclass(frozen=True)
class Share:
    """What one rep takes in one pool; no countries are any."""

    username: str
    weight: int = 1
    weekly_capacity: int = 50
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("English",)
    skills: tuple[str, ...] = ()


# The pool that the preset's rule for everything else leads to.
INBOUND = "Inbound"
LARGE, CATCH_ALL = "Large accounts", "Catch-all"
ENTERPRISE = "Enterprise deals"
# Theo works the large accounts; Mara stands in with a little of her time, so his vacation fills the overflow.
POOLS: Mapping[str, tuple[str, tuple[Share, ...]]] = {
    INBOUND: (
        EUROPE,
        (
            Share("mara", languages=("German", "English")),
            Share("theo", languages=("German", "English")),
            Share("grace"),
        ),
    ),
    "Americas": (AMERICAS, (Share("marcus", countries=("United States",)), Share("dana"))),
    LARGE: (
        EUROPE,
        (
            Share("theo", 3, 20, languages=("German", "English"), skills=(ENTERPRISE,)),
            Share("mara", 1, 1, languages=("German", "English"), skills=(ENTERPRISE,)),
        ),
    ),
    # Nobody's own: what was passed on too often is looked at here.
    CATCH_ALL: (EUROPE, (Share("grace"),)),
}


@dataclass(frozen=True)
class Staff:
    """The demo's people by user name."""

    by_username: Mapping[str, User]

    def __getitem__(self, username: str) -> User:
        return self.by_username[username]

    @property
    def reps(self) -> list[User]:
        return [user for user in self.by_username.values() if user.role == Role.BDR]


def open_offices() -> None:
    """Create the calendars; the first becomes the default one, in place of the preset's."""
    Calendar.objects.filter(is_default=True).update(is_default=False)
    for office in OFFICES:
        calendar = Calendar.objects.create(
            name=office.name,
            time_zone=office.time_zone,
            holiday_country=office.holiday_country,
            holiday_subdivision=office.holiday_subdivision,
            is_default=office is OFFICES[0],
        )
        CalendarInterval.objects.bulk_create(
            CalendarInterval(calendar=calendar, weekday=day, opens_at=opens, closes_at=closes)
            for day in range(5)
            for opens, closes in (office.friday_hours if day == 4 else office.hours)
        )


def hire_staff(*, password: str, now: datetime) -> Staff:
    """Create everybody with their team, working hours and pools. The offices and the preset are there."""
    teams = {name: Team.objects.create(name=name) for name in (EUROPE, AMERICAS)}
    users = {one.username: _hire(one, teams, password=password, now=now) for one in STAFF}
    for one in STAFF:
        calendar = Calendar.objects.get(name=one.calendar)
        CalendarPerson.objects.create(calendar=calendar, person=users[one.username])
    _form_pools(teams, users)
    return Staff(users)


def write_playbook() -> None:
    """What to say to somebody met at the fair, before the preset's words for everybody."""
    Playbook.objects.create(
        name="Met at the fair",
        sources=["Trade fair"],
        industries=["Logistics", "Manufacturing", "Wholesale"],
        channel=Attempt.Channel.CALL,
        timing="The week after the fair, before the pile of cards is forgotten",
        opening_line="Hello {first_name}, we met at our stand in Hanover: you told me how {company} plans.",
        topics=["What they saw at the stand", "How many sites plan by hand"],
        objections=["“I only took the brochure”: show them the one page of it that matters"],
        next_step="Half an hour on screen with whoever plans the week.",
    )


def plan_vacation(staff: Staff, *, until: datetime) -> None:
    """Theo is away as the story ends: what is large waits in the overflow queue."""
    Absence.objects.create(
        user=staff["theo"],
        starts_at=until - timedelta(days=3),
        ends_at=until + timedelta(days=6),
        reason="Vacation",
    )


def issue_keys(staff: Staff, *, api_token: str, write_key: str, now: datetime) -> None:
    """Let the live traffic in: a token of the manager with every scope, and a Segment write key."""
    ApiToken.objects.create(
        user=staff["nia"],
        name="Demo traffic",
        prefix=api_token[:9],
        digest=digest_of(api_token),
        scopes=list(ApiToken.Scope),
        created_at=now,
    )
    WriteKey.objects.create(
        name="Website tracking (demo)",
        prefix=write_key[:9],
        digest=hashlib.sha256(write_key.encode()).hexdigest(),
        created_at=now,
    )


def _hire(one: Employee, teams: Mapping[str, Team], *, password: str, now: datetime) -> User:
    user = User(
        username=one.username,
        first_name=one.first_name,
        last_name=one.last_name,
        email=f"{one.username}@corvane.example",
        role=one.role,
        team=teams.get(one.team),
        time_zone=one.time_zone,
        is_staff=one.role != Role.BDR,
        date_joined=now,
    )
    user.set_password(password)
    user.save()
    return user


def _form_pools(teams: Mapping[str, Team], users: Mapping[str, User]) -> None:
    """Fill the pools, and route what is special before the preset's rule for everything else."""
    pools = {}
    for name, (team, shares) in POOLS.items():
        pools[name], _ = Pool.objects.update_or_create(name=name, defaults={"team": teams[team]})
        PoolMembership.objects.bulk_create(
            PoolMembership(
                pool=pools[name],
                user=users[share.username],
                weight=share.weight,
                weekly_capacity=share.weekly_capacity,
                countries=list(share.countries),
                languages=list(share.languages),
                skills=list(share.skills),
            )
            for share in shares
        )
    PackageStandard.objects.update(task_below=GAPS_BELOW)
    Pool.objects.exclude(name=CATCH_ALL).update(catch_all=pools[CATCH_ALL])
    RoutingRule.objects.filter(pool=pools[INBOUND]).update(speaks_language=True)
    europe = [place.country for place in PLACES if place.country not in AMERICAN_COUNTRIES]
    RoutingRule.objects.bulk_create(
        [
            RoutingRule(name="Americas", position=0, countries=AMERICAN_COUNTRIES, pool=pools["Americas"]),
            RoutingRule(
                name="Large European accounts",
                position=0,
                countries=europe,
                employees_from=LARGE_FROM,
                pool=pools[LARGE],
                skills=[ENTERPRISE],
            ),
            # Behind the rule for everything else: it never applies, and the routing page says so.
            RoutingRule(
                name="Webinars in German",
                position=99,
                sources=["Webinar"],
                languages=["German"],
                pool=pools[INBOUND],
            ),
        ]
    )

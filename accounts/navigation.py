"""The pages of the portal in one table: who finds what in the side bar, and where each role begins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from accounts.models import User
from accounts.roles import may_open_admin

Role = User.Role
EVERYBODY = frozenset(Role)


@dataclass(frozen=True)
class Page:
    path: str
    label: str
    icon: str
    roles: frozenset[Role]


@dataclass(frozen=True)
class Section:
    heading: str
    pages: tuple[Page, ...]


SECTIONS = (
    Section(
        "Work",
        (
            Page("/queue/", "Queue", "inbox", frozenset({Role.BDR, Role.MANAGER})),
            Page("/leads/", "Leads", "people", EVERYBODY),
            Page("/routing/", "Routing", "signpost-split", EVERYBODY - {Role.OPERATOR}),
            Page("/pulse/", "Pulse", "activity", frozenset({Role.BDR, Role.MARKETING, Role.MANAGER})),
        ),
    ),
    Section(
        "Marketing",
        (
            Page(
                "/marketing/",
                "Feedback",
                "chat-left-text",
                frozenset({Role.MARKETING, Role.MANAGER, Role.READ_ONLY}),
            ),
            Page("/scoring/", "Scoring", "sliders", EVERYBODY - {Role.BDR, Role.OPERATOR}),
            Page("/scoring/criteria/", "MQL criteria", "journal-text", EVERYBODY),
        ),
    ),
    Section(
        "Service levels",
        (
            Page("/sla/", "Live board", "stopwatch", frozenset({Role.MANAGER, Role.READ_ONLY})),
            Page("/sla/tickets/", "Tickets", "clipboard", EVERYBODY),
            Page("/sla/breaches/", "Breaches", "flag", frozenset({Role.MANAGER, Role.READ_ONLY})),
            Page(
                "/sla/compliance/", "Compliance", "bar-chart-line", frozenset({Role.MANAGER, Role.READ_ONLY})
            ),
            Page(
                "/sla/incidents/",
                "Incidents",
                "cloud-slash",
                frozenset({Role.MANAGER, Role.OPERATOR, Role.READ_ONLY}),
            ),
            Page("/sla/policies/", "Policies", "file-text", frozenset({Role.MANAGER, Role.READ_ONLY})),
        ),
    ),
    Section(
        "Operations",
        (
            Page("/ops/", "Health", "activity", frozenset({Role.OPERATOR})),
            Page(
                "/notifications/deliveries/",
                "Messages sent",
                "envelope",
                frozenset({Role.OPERATOR, Role.MANAGER}),
            ),
            Page("/ops/salesforce/", "Salesforce", "cloud-check", frozenset({Role.OPERATOR, Role.MANAGER})),
            Page(
                "/leads/quarantine/", "Quarantine", "slash-circle", frozenset({Role.OPERATOR, Role.MARKETING})
            ),
            Page("/api/docs/", "API", "plug", frozenset({Role.OPERATOR})),
        ),
    ),
)

# The page that answers the role's question opens first.
FIRST_PAGE: dict[str, str] = {
    Role.BDR: "/queue/",
    Role.MARKETING: "/marketing/",
    Role.MANAGER: "/sla/",
    Role.OPERATOR: "/ops/",
    Role.READ_ONLY: "/leads/",
}

# Pages without an entry of their own, and the one under which they are found.
BELONGS_TO = {"/handoffs/": "/queue/", "/sla/what-if/": "/sla/compliance/"}

QUESTION: dict[str, str] = {
    Role.BDR: "Which lead do I call now, and why?",
    Role.MARKETING: "Which of our leads did sales refuse?",
    Role.MANAGER: "What is late, whose is it, and why?",
    Role.OPERATOR: "Is everything flowing?",
    Role.READ_ONLY: "Where does each lead stand?",
}

ROLE_ICON: dict[str, str] = {
    Role.BDR: "telephone",
    Role.MARKETING: "megaphone",
    Role.MANAGER: "speedometer2",
    Role.OPERATOR: "activity",
    Role.READ_ONLY: "eye",
}


def sections_for(user: User) -> list[Section]:
    """The side bar of this person; a superuser sees all of it."""
    return _sections(user.role, sees_all=user.is_superuser)


@cache
def _sections(role: str, *, sees_all: bool) -> list[Section]:
    found = [
        Section(section.heading, tuple(page for page in section.pages if sees_all or role in page.roles))
        for section in SECTIONS
    ]
    return [section for section in found if section.pages]


def current_path(user: User, path: str) -> str:
    """The entry to mark as current: the longest one that the address begins with."""
    paths = [page.path for section in sections_for(user) for page in section.pages]
    if may_open_admin(user):
        paths.append("/admin/")
    for beginning, entry in BELONGS_TO.items():
        if path.startswith(beginning):
            path = entry
    return max((each for each in paths if path.startswith(each)), key=len, default="")

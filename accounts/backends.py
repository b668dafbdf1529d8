"""What each role may see and change in the admin: one table instead of permission rows in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.backends import ModelBackend

from accounts.models import User
from accounts.sessions import find_person

Role = User.Role


@dataclass(frozen=True)
class Access:
    """Names of apps ("scoring") or models ("handoffs.playbook"). Editing includes viewing."""

    edits: frozenset[str] = frozenset()
    views: frozenset[str] = frozenset()
    # Models of an edited app that somebody else keeps.
    only_views: frozenset[str] = frozenset()

    def allows(self, action: str, app: str, model: str) -> bool:
        names = {app, f"{app}.{model}"}
        may_edit = bool(names & self.edits) and f"{app}.{model}" not in self.only_views
        return may_edit or (action == "view" and bool(names & (self.edits | self.views)))


RECORDS = frozenset(
    {"leads.lead", "leads.company", "leads.leadevent", "handoffs", "feedback", "sla", "scoring"}
)

# Least privilege (OPS-1): only marketing edits scoring, only managers the service levels and the routing,
# only operators people, keys and the plumbing. BDRs have no admin.
ADMIN_ACCESS: dict[str, Access] = {
    Role.BDR: Access(),
    Role.MARKETING: Access(
        edits=frozenset(
            {
                "scoring",
                "handoffs.playbook",
                "handoffs.acknowledgementpolicy",
                "feedback.rejectionreason",
                "leads.quarantineditem",
                "protocol",
            }
        ),
        views=RECORDS | {"leads.activity", "leads.attributechange"},
        # Whether a second person approves is not for those who are to be checked.
        only_views=frozenset({"scoring.scoringpolicy"}),
    ),
    Role.MANAGER: Access(
        edits=frozenset(
            {
                "sla",
                "handoffs.pool",
                "handoffs.poolmembership",
                "handoffs.routingrule",
                "handoffs.qualificationgate",
                "handoffs.cadence",
                "handoffs.cadencestep",
                "handoffs.packagestandard",
                "handoffs.playbook",
                "handoffs.acknowledgementpolicy",
                "handoffs.recyclecontract",
                "feedback.rejectionreason",
                "feedback.feedbackpolicy",
                "accounts.absence",
                "scoring.scoringpolicy",
            }
        ),
        views=RECORDS | {"accounts.user", "accounts.team", "notifications"},
    ),
    Role.OPERATOR: Access(
        edits=frozenset(
            {
                "accounts",
                "leads.quarantineditem",
                "leads.writekey",
                "crm",
                "operations",
                "notifications",
            }
        ),
        views=RECORDS | {"leads.activity", "leads.attributechange", "leads.inboundmessage", "django_q"},
    ),
    Role.READ_ONLY: Access(views=RECORDS),
}


class RoleBackend(ModelBackend):
    """Passwords as Django checks them; permissions from the role alone, never from groups or rows."""

    def get_user(self, user_id: int) -> User | None:
        return find_person(user_id)

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not (isinstance(user_obj, User) and user_obj.is_active):
            return False
        app, _, codename = perm.partition(".")
        action, _, model = codename.partition("_")
        return user_obj.is_superuser or ADMIN_ACCESS[user_obj.role].allows(action, app, model)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        if not (isinstance(user_obj, User) and user_obj.is_active):
            return False
        access = ADMIN_ACCESS[user_obj.role]
        named = {name.partition(".")[0] for name in access.edits | access.views}
        return user_obj.is_superuser or app_label in named

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return set()

"""What an org has before anybody uses it: people, a queue, statuses, stages, rules."""

from typing import TYPE_CHECKING

from .schema import (
    ASSIGNMENT_RULE,
    CONVERTED_STATUS,
    DUPLICATE_RULE,
    LEAD_STATUS,
    LEAD_STATUSES,
    OPPORTUNITY_STAGE,
    OPPORTUNITY_STAGES,
    ORGANIZATION,
)

if TYPE_CHECKING:
    from .org import Org

QUEUE_NAME = "Web leads"
INTEGRATION_USER = ("Portal", "Integration", "portal.integration@standin.example")
# Who acts when a record is changed on the stand-in's own page.
SALES_USER = ("Sam", "Seller", "sam.seller@standin.example")
OTHER_USERS = (
    ("Robin", "Rep", "robin.rep@standin.example"),
    ("Alex", "Account", "alex.account@standin.example"),
)
LEAD_RULE = "Standard_Lead_Duplicate_Rule"


def found_org(org: "Org") -> None:
    with org.store.transaction():
        for person in (INTEGRATION_USER, SALES_USER, *OTHER_USERS):
            org.add_user(*person)
        org.add_queue(QUEUE_NAME)
        org.insert(ORGANIZATION, {"Name": "Stand-in", "OrganizationType": "Developer Edition"})
        org.insert(ASSIGNMENT_RULE, {"Name": "Into the queue", "SobjectType": "Lead", "Active": True})
        org.insert(
            DUPLICATE_RULE,
            {"DeveloperName": LEAD_RULE, "MasterLabel": "Leads by e-mail", "SobjectType": "Lead"},
        )
        _add_statuses(org)
        _add_stages(org)


def _add_statuses(org: "Org") -> None:
    for order, label in enumerate(LEAD_STATUSES, start=1):
        is_converted = label == CONVERTED_STATUS
        values = {"MasterLabel": label, "ApiName": label, "SortOrder": order, "IsDefault": order == 1}
        org.insert(LEAD_STATUS, {**values, "IsConverted": is_converted})


def _add_stages(org: "Org") -> None:
    for order, (label, probability, is_closed, is_won) in enumerate(OPPORTUNITY_STAGES, start=1):
        values = {"MasterLabel": label, "ApiName": label, "SortOrder": order, "IsActive": True}
        ends = {"DefaultProbability": probability, "IsClosed": is_closed, "IsWon": is_won}
        org.insert(OPPORTUNITY_STAGE, {**values, **ends})

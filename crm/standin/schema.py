"""The objects of the stand-in's org, as far as the handing over of leads needs them."""

from .errors import not_found
from .fields import Field, SObject

LEAD_STATUSES = (
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Converted",
    "Closed - Not Converted",
)
# The status that only a conversion sets.
CONVERTED_STATUS = "Closed - Converted"
TASK_STATUSES = ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")
TASK_SUBTYPES = ("Task", "Email", "ListEmail", "Call", "Cadence")
MEMBER_STATUSES = ("Sent", "Responded")
# Stage, probability, whether it ends the deal, whether it is won.
OPPORTUNITY_STAGES = (
    ("Prospecting", 10, False, False),
    ("Qualification", 10, False, False),
    ("Needs Analysis", 20, False, False),
    ("Proposal/Price Quote", 75, False, False),
    ("Negotiation/Review", 90, False, False),
    ("Closed Won", 100, True, True),
    ("Closed Lost", 0, True, False),
)
LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
RATINGS = ("Hot", "Warm", "Cold")

PEOPLE = ("User",)

RECORD_FIELDS = (
    Field("Id", "id", 18, writable=False),
    Field("IsDeleted", "boolean", writable=False),
    Field("CreatedDate", "datetime", writable=False),
    Field("CreatedById", "reference", 18, writable=False, refers_to=PEOPLE),
)
SYSTEM_FIELDS = (
    *RECORD_FIELDS,
    Field("LastModifiedDate", "datetime", writable=False),
    Field("LastModifiedById", "reference", 18, writable=False, refers_to=PEOPLE),
    Field("SystemModstamp", "datetime", writable=False),
)


def _open_picklist(name: str, values: tuple[str, ...]) -> Field:
    """A standard picklist, which takes other values through the API, too."""
    return Field(name, "picklist", 40, values=values, restricted=False)


LEAD = SObject(
    "Lead",
    "00Q",
    (
        *SYSTEM_FIELDS,
        Field("Name", length=121, writable=False),
        Field("FirstName", length=40),
        Field("LastName", length=80, required=True),
        Field("Company", length=255, required=True),
        Field("Title", length=128),
        Field("Email", "email", 80, upsert_key=True),
        Field("Phone", "phone", 40),
        Field("MobilePhone", "phone", 40),
        Field("Website", "url", 255),
        Field("Street", "textarea", 255),
        Field("City", length=40),
        Field("State", length=80),
        Field("PostalCode", length=20),
        Field("Country", length=80),
        Field("Industry", "picklist", 40),
        _open_picklist("LeadSource", LEAD_SOURCES),
        _open_picklist("Rating", RATINGS),
        Field("NumberOfEmployees", "int"),
        Field("AnnualRevenue", "currency"),
        Field("Description", "textarea", 32000),
        Field("HasOptedOutOfEmail", "boolean"),
        Field("Status", "picklist", 40, required=True, values=LEAD_STATUSES),
        Field("OwnerId", "reference", 18, refers_to=("User", "Group")),
        Field("IsConverted", "boolean", writable=False),
        Field("ConvertedDate", "date", writable=False),
        Field("ConvertedAccountId", "reference", 18, writable=False, refers_to=("Account",)),
        Field("ConvertedContactId", "reference", 18, writable=False, refers_to=("Contact",)),
        Field("ConvertedOpportunityId", "reference", 18, writable=False, refers_to=("Opportunity",)),
        Field("MasterRecordId", "reference", 18, writable=False, refers_to=("Lead",)),
        Field("Portal_Lead_Id__c", length=36, unique=True, upsert_key=True),
        Field("Portal_Stage__c", "picklist", 255, restricted=False),
        Field("Portal_Score__c", "double"),
        Field("Portal_Fit__c", "double"),
        Field("Portal_Engagement__c", "double"),
        Field("Portal_Category__c", "picklist", 255, restricted=False),
        Field("Portal_Warmth__c", "picklist", 255, restricted=False),
        Field("Portal_Handoff_Status__c", "picklist", 255, restricted=False),
        Field("Portal_Handoff_At__c", "datetime"),
        Field("Portal_Accepted_At__c", "datetime"),
        Field("Portal_Rejected_At__c", "datetime"),
        Field("Portal_Rejection_Reason__c", length=80),
        Field("Portal_First_Contact_At__c", "datetime"),
        Field("Portal_Attempts__c", "double"),
        Field("Portal_SLA_Due__c", "datetime"),
        Field("Portal_SLA_Breached__c", "boolean"),
        Field("Portal_Campaign__c", length=120),
        Field("Portal_Language__c", length=40),
        Field("Portal_Product_Line__c", length=80),
        Field("Portal_Pain_Point__c", "textarea", 1000),
        Field("Portal_Budget__c", length=200),
        Field("Portal_Timeline__c", length=200),
        Field("Portal_Current_Solution__c", "textarea", 500),
        Field("Portal_Deal_Size__c", "double"),
        Field("Portal_Consent_At__c", "datetime"),
        Field("Portal_URL__c", "url", 255),
    ),
)

TASK = SObject(
    "Task",
    "00T",
    (
        *SYSTEM_FIELDS,
        Field("Subject", length=255),
        Field("WhoId", "reference", 18, indexed=True, refers_to=("Lead", "Contact")),
        Field("WhatId", "reference", 18, refers_to=("Account", "Opportunity", "Campaign")),
        Field("OwnerId", "reference", 18, refers_to=PEOPLE),
        Field("Status", "picklist", 40, required=True, values=TASK_STATUSES, restricted=False),
        Field("Priority", "picklist", 40, required=True, values=("High", "Normal", "Low"), restricted=False),
        Field("TaskSubtype", "picklist", 40, create_only=True, values=TASK_SUBTYPES),
        Field("ActivityDate", "date"),
        Field("Description", "textarea", 32000),
        Field("IsClosed", "boolean", writable=False),
        Field("Portal_Task_Id__c", length=36, unique=True, upsert_key=True),
        Field("Portal_URL__c", "url", 255),
    ),
)

ACCOUNT = SObject(
    "Account",
    "001",
    (
        *SYSTEM_FIELDS,
        Field("Name", length=255, required=True),
        Field("Website", "url", 255),
        Field("Phone", "phone", 40),
        _open_picklist("Type", ("Prospect", "Customer", "Partner")),
        Field("Industry", "picklist", 40),
        Field("BillingCountry", length=80),
        Field("NumberOfEmployees", "int"),
        Field("OwnerId", "reference", 18, refers_to=PEOPLE),
    ),
)

CONTACT = SObject(
    "Contact",
    "003",
    (
        *SYSTEM_FIELDS,
        Field("Name", length=121, writable=False),
        Field("FirstName", length=40),
        Field("LastName", length=80, required=True),
        Field("AccountId", "reference", 18, indexed=True, refers_to=("Account",)),
        Field("Title", length=128),
        Field("Email", "email", 80, upsert_key=True),
        Field("Phone", "phone", 40),
        Field("HasOptedOutOfEmail", "boolean"),
        Field("OwnerId", "reference", 18, refers_to=PEOPLE),
    ),
)

OPPORTUNITY = SObject(
    "Opportunity",
    "006",
    (
        *SYSTEM_FIELDS,
        Field("Name", length=120, required=True),
        Field("AccountId", "reference", 18, indexed=True, refers_to=("Account",)),
        Field(
            "StageName",
            "picklist",
            255,
            required=True,
            values=tuple(stage for stage, *_ in OPPORTUNITY_STAGES),
        ),
        Field("CloseDate", "date", required=True),
        Field("Amount", "currency"),
        Field("Probability", "percent"),
        Field("IsClosed", "boolean", writable=False),
        Field("IsWon", "boolean", writable=False),
        _open_picklist("LeadSource", LEAD_SOURCES),
        Field("CampaignId", "reference", 18, refers_to=("Campaign",)),
        Field("OwnerId", "reference", 18, refers_to=PEOPLE),
    ),
)

CAMPAIGN = SObject(
    "Campaign",
    "701",
    (
        *SYSTEM_FIELDS,
        Field("Name", length=80, required=True, indexed=True),
        _open_picklist("Status", ("Planned", "In Progress", "Completed", "Aborted")),
        Field("IsActive", "boolean"),
        Field("OwnerId", "reference", 18, refers_to=PEOPLE),
    ),
)

CAMPAIGN_MEMBER = SObject(
    "CampaignMember",
    "00v",
    (
        *SYSTEM_FIELDS,
        Field(
            "CampaignId",
            "reference",
            18,
            required=True,
            create_only=True,
            indexed=True,
            refers_to=("Campaign",),
        ),
        Field("LeadId", "reference", 18, create_only=True, indexed=True, refers_to=("Lead",)),
        Field("ContactId", "reference", 18, create_only=True, indexed=True, refers_to=("Contact",)),
        Field("Status", "picklist", 40, values=MEMBER_STATUSES),
    ),
)

# Without SystemModstamp: a history is read by CreatedDate.
LEAD_HISTORY = SObject(
    "LeadHistory",
    "00q",
    (
        *RECORD_FIELDS,
        Field("LeadId", "reference", 18, writable=False, indexed=True, refers_to=("Lead",)),
        Field("Field", "picklist", 255, writable=False),
        Field("OldValue", length=255, writable=False),
        Field("NewValue", length=255, writable=False),
    ),
    createable=False,
    updateable=False,
)

USER = SObject(
    "User",
    "005",
    (
        *SYSTEM_FIELDS,
        Field("Name", length=121, writable=False),
        Field("FirstName", length=40),
        Field("LastName", length=80, required=True),
        Field("Email", "email", 128, required=True),
        Field("Username", length=80, required=True, unique=True),
        Field("IsActive", "boolean"),
    ),
)

GROUP = SObject(
    "Group",
    "00G",
    (
        *SYSTEM_FIELDS,
        Field("Name", length=40, required=True),
        Field("DeveloperName", length=80),
        Field("Type", "picklist", 40, required=True),
    ),
)

QUEUE_SOBJECT = SObject(
    "QueueSobject",
    "03g",
    (
        *SYSTEM_FIELDS,
        Field("QueueId", "reference", 18, required=True, indexed=True, refers_to=("Group",)),
        Field("SobjectType", "picklist", 40, required=True),
    ),
)

LEAD_STATUS = SObject(
    "LeadStatus",
    "01J",
    (
        *SYSTEM_FIELDS,
        Field("MasterLabel", length=255),
        Field("ApiName", length=255),
        Field("IsDefault", "boolean"),
        Field("IsConverted", "boolean"),
        Field("SortOrder", "int"),
    ),
)

OPPORTUNITY_STAGE = SObject(
    "OpportunityStage",
    "01J",
    (
        *SYSTEM_FIELDS,
        Field("MasterLabel", length=255),
        Field("ApiName", length=255),
        Field("IsActive", "boolean"),
        Field("IsClosed", "boolean"),
        Field("IsWon", "boolean"),
        Field("DefaultProbability", "percent"),
        Field("SortOrder", "int"),
    ),
)

ASSIGNMENT_RULE = SObject(
    "AssignmentRule",
    "01Q",
    (
        *SYSTEM_FIELDS,
        Field("Name", length=120),
        Field("SobjectType", "picklist", 40),
        Field("Active", "boolean"),
    ),
)

DUPLICATE_RULE = SObject(
    "DuplicateRule",
    "0Bm",
    (
        *SYSTEM_FIELDS,
        Field("DeveloperName", length=80),
        Field("MasterLabel", length=80),
        Field("SobjectType", "picklist", 40),
        Field("IsActive", "boolean"),
    ),
)

ORGANIZATION = SObject(
    "Organization",
    "00D",
    (
        *SYSTEM_FIELDS,
        Field("Name", length=80),
        Field("OrganizationType", "picklist", 40),
        Field("IsSandbox", "boolean"),
    ),
)

OBJECTS = {
    sobject.name.lower(): sobject
    for sobject in (
        LEAD,
        TASK,
        ACCOUNT,
        CONTACT,
        OPPORTUNITY,
        CAMPAIGN,
        CAMPAIGN_MEMBER,
        LEAD_HISTORY,
        USER,
        GROUP,
        QUEUE_SOBJECT,
        LEAD_STATUS,
        OPPORTUNITY_STAGE,
        ASSIGNMENT_RULE,
        DUPLICATE_RULE,
        ORGANIZATION,
    )
}


def sobject_named(name: str) -> SObject:
    """The object type of that name in any case. Raises NOT_FOUND, as a wrong name in a URL does."""
    try:
        return OBJECTS[name.lower()]
    except KeyError:
        raise not_found() from None

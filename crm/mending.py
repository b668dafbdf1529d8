"""Where a person mends what Salesforce refused, by its code. The words of each refusal are in `crm.problems`.

Pure: url names are looked up by the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from crm.problems import REMEDY_OF_CODE, Remedy


class Choice(StrEnum):
    """What a person decides lead by lead; sending again without it would be refused again."""

    NONE = ""
    ADOPT = "adopt"
    """Another record there is the same person: which one?"""
    ANEW = "anew"
    """The record was deleted there: make another one, or leave it?"""


@dataclass(frozen=True)
class Mending:
    """`title` names the cause in a few words; `url_name` (with `label`) is the page on which it is mended for
    all its leads, blank where each lead has to be looked at."""

    title: str
    url_name: str = ""
    label: str = ""
    choice: Choice = Choice.NONE


MAPPING = ("admin:crm_fieldmapping_changelist", "Mapping of fields")
OWNERS = ("admin:crm_ownermapping_changelist", "Mapping of owners")
CHECKS = ("crm:connection_check", "Check-list of the connection")

_DUPLICATE = Mending("Another record there is the same person", choice=Choice.ADOPT)

MENDINGS = {
    "DUPLICATES_DETECTED": _DUPLICATE,
    "DUPLICATE_VALUE": _DUPLICATE,
    "ENTITY_IS_DELETED": Mending("The record was deleted in Salesforce", choice=Choice.ANEW),
    "NOT_FOUND": Mending("A record or field is not there", *CHECKS),
    "INVALID_CROSS_REFERENCE_KEY": Mending("A record that it points to is not there"),
    "DUPLICATE_EXTERNAL_ID": Mending("Several records there carry the same portal id"),
    "REQUIRED_FIELD_MISSING": Mending("A value is missing"),
    "STRING_TOO_LONG": Mending("A value is too long"),
    "NUMBER_OUTSIDE_VALID_RANGE": Mending("A number is too large"),
    "INVALID_EMAIL_ADDRESS": Mending("The e-mail address is not valid there"),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": Mending("A picklist does not know the value", *MAPPING),
    "INVALID_TYPE_ON_FIELD_IN_RECORD": Mending("A field there is of another type", *MAPPING),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Mending("A validation rule refuses the record"),
    "FIELD_INTEGRITY_EXCEPTION": Mending("A value does not fit"),
    "JSON_PARSER_ERROR": Mending("A value cannot be read there", *MAPPING),
    "INVALID_FIELD": Mending("A field is missing there or hidden", *MAPPING),
    "INVALID_FIELD_FOR_INSERT_UPDATE": Mending("A field may not be written", *MAPPING),
    "LOST_WORKER": Mending("The worker stopped while sending it", "operations:overview", "Health"),
}
_BY_REMEDY = {
    Remedy.CONFIG: Mending("Our user or the org is not set up for it", *CHECKS),
    Remedy.OWNER: Mending("Salesforce does not take the owner", *OWNERS),
    Remedy.CONVERTED: Mending("The lead was converted there"),
}


def mending_of(code: str) -> Mending:
    """How to mend what was refused with this code. Of one that we do not know, the code is all there is."""
    by_remedy = _BY_REMEDY.get(REMEDY_OF_CODE.get(code, Remedy.PERSON))
    return MENDINGS.get(code) or by_remedy or Mending(code.replace("_", " ").capitalize() or "Refused")

"""What the log says of an event, in words."""

from leads.models import LeadEvent
from leads.templatetags.lead_words import log_words


def test_a_deal_that_salesforce_corrected_is_told_as_such() -> None:
    detail = {"corrected": ["amount", "close_on"], "via": "salesforce"}

    words = log_words(LeadEvent(kind=LeadEvent.Kind.OPPORTUNITY, detail=detail))

    assert words == "amount, close on corrected; by Salesforce"

"""Finding people by what one remembers of them."""

from __future__ import annotations

from django.db.models import Q

# More words than this are a pasted sentence, not a search.
MOST_WORDS = 6


def lead_matches(text: str, *, at: str = "") -> Q:
    """A condition that holds when every word is in the name, the e-mail address or the company.

    `at` is the path from the queried model to the lead, such as "lead__".
    """
    condition = Q()
    for word in text.split()[:MOST_WORDS]:
        condition &= (
            Q(**{f"{at}first_name__icontains": word})
            | Q(**{f"{at}last_name__icontains": word})
            | Q(**{f"{at}email__icontains": word})
            | Q(**{f"{at}company__name__icontains": word})
        )
    return condition

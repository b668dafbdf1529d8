"""What to say first, by what the lead did. One set for all protocols: the keys are those of the signals of
any scoring preset, and a key that the active one lacks is never shown."""

from __future__ import annotations

from handoffs.models import Attempt
from handoffs.presets.shapes import PlaybookPreset

PLAYBOOKS = (
    PlaybookPreset(
        name="Asked for a demo",
        signal_keys=("demo-request",),
        channel=Attempt.Channel.CALL,
        timing="Now, while it is on their mind",
        opening_line="Hello {first_name}, you asked to see how it works. What made you look today?",
        topics=("What they want to see in the demo", "Who else decides at {company}", "By when"),
        objections=(
            "“I only wanted to look around”: offer fifteen minutes on the one thing they came for",
            "“Send me the prices”: ask for the number of users first, then send a range",
        ),
        next_step="Book the demo with everybody who decides",
    ),
    PlaybookPreset(
        name="Asked to be contacted",
        signal_keys=("direct-inquiry",),
        channel=Attempt.Channel.CALL,
        timing="Now, while it is on their mind",
        opening_line="Hello {first_name}, you asked us to get in touch. What is it about?",
        topics=("What made them write", "How {company} does it now", "Who else decides, and by when"),
        objections=("“Just send me something”: ask which question it should answer, then send that alone",),
        next_step="Agree on a date with everybody who decides",
    ),
    PlaybookPreset(
        name="Weighs the prices",
        signal_keys=("pricing-page", "pricing-or-demo-page"),
        channel=Attempt.Channel.CALL,
        timing="Today, within working hours",
        opening_line="Hello {first_name}, people comparing prices usually ask what getting started costs. "
        "Is that your question too at {company}?",
        topics=("What they compare us with", "Budget and who holds it", "What staying as it is costs"),
        objections=(
            "“It costs too much”: ask what the present way costs in a month",
            "“We have a tool”: ask what it does not do",
        ),
        next_step="Agree on a call with whoever holds the budget",
    ),
    PlaybookPreset(
        name="Reads about others like them",
        signal_keys=("case-study",),
        channel=Attempt.Channel.EMAIL,
        timing="Today",
        opening_line="Hello {first_name}, you read how others solved this. Which part sounds like {company}?",
        topics=("What in the case is like theirs", "Their numbers against those of the case"),
        objections=("“We are different”: ask in what, and offer a reference closer to them",),
        next_step="Offer a talk with a customer of their industry",
    ),
    PlaybookPreset(
        name="Shows interest",
        channel=Attempt.Channel.EMAIL,
        timing="Within a working day",
        opening_line="Hello {first_name}, I saw that {company} is looking into this. "
        "What would you like to change?",
        topics=("What brought them here", "How they do it now"),
        objections=("“Not now”: ask when it comes up again, and agree on a date",),
        next_step="Find out whether there is a need, and by when",
    ),
)

"""The automatic answer to leads after hours. The 15 minutes are published; the words are a start."""

from __future__ import annotations

from handoffs.presets.shapes import AcknowledgementPreset

HYBRID = AcknowledgementPreset(
    within_minutes=15,
    subject="We have your message",
    body="""Hello {first_name},

thank you for getting in touch. It is outside our working hours, so nobody has read your message yet. One of \
us will write or call soon after {open_again}.

If there is anything we should know before that, simply answer this e-mail.

Kind regards
""",
)

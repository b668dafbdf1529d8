"""What each protocol says of the handoff. Those that bring no routing leave that of the portal alone."""

from __future__ import annotations

from handoffs.presets import acknowledgement, cadences
from handoffs.presets.playbooks import PLAYBOOKS
from handoffs.presets.shapes import HandoffPreset, PoolPreset, RulePreset

# Published: five BDRs at fifty new leads a week.
CLASSIC = HandoffPreset(
    pools=(PoolPreset(name="Inbound", weekly_capacity=50),),
    rules=(RulePreset(name="Everything else", pool="Inbound"),),
    playbooks=PLAYBOOKS,
    cadences=cadences.CLASSIC,
)
# Published: who writes after hours is answered within 15 minutes (SLA-3).
HYBRID = HandoffPreset(playbooks=PLAYBOOKS, cadences=cadences.HYBRID, acknowledgement=acknowledgement.HYBRID)
# Published: SQL is need, decision maker, and a budget that roughly fits.
SPEED = HandoffPreset(
    playbooks=PLAYBOOKS,
    cadences=cadences.SPEED,
    gate=("budget", "authority", "need"),
    budget_may_be_rough=True,
)
SIX_STEP = HandoffPreset(playbooks=PLAYBOOKS, cadences=cadences.SIX_STEP)
# Published: SQL needs all of BANT.
BANT = HandoffPreset(playbooks=PLAYBOOKS, cadences=cadences.BANT)

PRESETS = {"classic": CLASSIC, "hybrid": HYBRID, "speed": SPEED, "six-step": SIX_STEP, "bant": BANT}

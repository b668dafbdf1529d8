"""What follows a missed target: the steps of its ladder, each once, in order, at its time (SLA-5)."""

from handoffs.escalation.sweep import escalate_due_clocks

__all__ = ["escalate_due_clocks"]

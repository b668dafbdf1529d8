from tests.desk import handoff, lead, pool

__all__ = ["handoff", "lead", "pool"]

from tests.desk import handoff, lead, pool
from tests.notifications.conftest import mail_server

__all__ = ["handoff", "lead", "mail_server", "pool"]

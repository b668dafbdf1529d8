"""What runs by the clock. After a change: `manage.py sync_schedule` (deploys and `make` do it).

A task takes no arguments, is safe to run twice and claims its work from marks: a missed run loses nothing.
"""

from datetime import timedelta

import crm.tasks
import feedback.tasks
import handoffs.tasks
import leads.tasks
import notifications.tasks
import scoring.backtesting.tasks
import scoring.calibration.tasks
import scoring.prediction.tasks
import scoring.tasks
import scoring.tasks_verification
import sla.tasks
from operations.schedule import Periodic

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)

SCHEDULE = [
    Periodic("notifications-deliver", notifications.tasks.deliver_due_task, every=5 * SECOND),
    Periodic("leads-spread-company-changes", leads.tasks.spread_company_changes_task, every=MINUTE),
    # Nudges do the same within a second; the sweep picks up what a lost nudge left.
    Periodic("handoffs-advance-leads", handoffs.tasks.advance_due_leads_task, every=20 * SECOND),
    Periodic("handoffs-assign-overflow", handoffs.tasks.assign_overflow_task, every=MINUTE),
    Periodic("handoffs-reconcile-invitations", handoffs.tasks.reconcile_invitations_task, every=MINUTE),
    Periodic("handoffs-recheck-invitations", handoffs.tasks.recheck_invitations_task, every=5 * MINUTE),
    Periodic("handoffs-acknowledge", handoffs.tasks.send_acknowledgements_task, every=20 * SECOND),
    Periodic("handoffs-raise-alarms", handoffs.tasks.raise_alarms_task, every=MINUTE),
    Periodic("handoffs-send-digests", handoffs.tasks.send_digests_task, every=5 * MINUTE),
    Periodic("sla-sweep", sla.tasks.sweep_clocks_task, every=15 * SECOND),
    Periodic("sla-tell-of-tickets", sla.tasks.tell_of_tickets_task, every=MINUTE),
    Periodic("sla-settle-incidents", sla.tasks.settle_incidents_task, every=MINUTE),
    # Often, because a look at an index that finds nothing costs nothing, and a step is due to the minute.
    Periodic("handoffs-escalate", handoffs.tasks.escalate_due_clocks_task, every=5 * SECOND),
    Periodic("sla-recompute", sla.tasks.recompute_changed_clocks_task, every=5 * MINUTE),
    Periodic("feedback-wake-recyclings", feedback.tasks.wake_recyclings_task, every=5 * MINUTE),
    Periodic("feedback-open-gap-tasks", feedback.tasks.open_gap_tasks_task, every=MINUTE),
    Periodic("feedback-remind-of-late-tasks", feedback.tasks.remind_of_late_tasks_task, every=5 * MINUTE),
    Periodic("feedback-remind-of-readings", feedback.tasks.remind_of_late_readings_task, cron="0 9 * * 1-5"),
    Periodic("feedback-ask-for-pulses", feedback.tasks.ask_for_pulses_task, cron="0 8 1 * *"),
    # Each day, so that a missed run loses nothing; people are asked once.
    Periodic("feedback-ask-for-review", feedback.tasks.ask_for_review_task, cron="0 8 * * *"),
    Periodic("scoring-activate-versions", scoring.tasks.activate_due_versions_task, every=15 * SECOND),
    Periodic("scoring-rescore", scoring.tasks.rescore_task, every=30 * SECOND),
    Periodic("scoring-backfill-drafts", scoring.tasks.backfill_drafts_task, every=10 * MINUTE),
    Periodic("scoring-run-backtests", scoring.backtesting.tasks.run_waiting_backtests_task, every=MINUTE),
    Periodic("scoring-verify-scores", scoring.tasks_verification.verify_scores_task, cron="10 3 * * *"),
    Periodic("scoring-calibrate", scoring.calibration.tasks.calibrate_task, cron="40 3 * * *"),
    Periodic(
        "scoring-count-calibrations",
        scoring.calibration.tasks.count_waiting_calibrations_task,
        every=MINUTE,
    ),
    Periodic("scoring-retrain-prediction", scoring.prediction.tasks.retrain_task, cron="20 4 * * 1"),
    Periodic(
        "scoring-refresh-predictions",
        scoring.prediction.tasks.refresh_predictions_task,
        every=5 * MINUTE,
    ),
    Periodic("crm-push-handoffs", crm.tasks.push_handoffs_task, every=SECOND),
    Periodic("crm-push", crm.tasks.push_stale_leads_task, every=5 * SECOND),
    Periodic("crm-bulk", crm.tasks.carry_bulk_jobs_task, every=2 * SECOND),
    Periodic("crm-remark-forgotten", crm.tasks.remark_forgotten_task, cron="30 2 * * *"),
    Periodic("crm-forget-history", crm.tasks.forget_old_entries_task, cron="45 2 * * *"),
    Periodic("crm-pull", crm.tasks.pull_changes_task, every=30 * SECOND),
    Periodic("crm-raise-alarms", crm.tasks.raise_sync_alarms_task, every=MINUTE),
    Periodic("crm-match-accounts", crm.tasks.match_accounts_task, cron="35 * * * *"),
    Periodic("crm-enrol-leads", crm.tasks.enrol_leads_task, every=MINUTE),
    Periodic("crm-map-owners", crm.tasks.map_owners_task, every=10 * MINUTE),
    Periodic("crm-compare-after-mapping", crm.tasks.compare_after_mapping_task, every=15 * SECOND),
    Periodic("crm-compare-weekly", crm.tasks.begin_weekly_comparison_task, cron="0 1 * * 0"),
    Periodic("crm-compare", crm.tasks.compare_both_sides_task, every=15 * SECOND),
    Periodic("crm-check-mapping", crm.tasks.check_mapping_task, cron="20 5 * * *"),
]

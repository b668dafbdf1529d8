"""Whether a row says anything that we do not know yet. Needs no lock, and no query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crm.mapping import FieldRule, as_stored
from crm.models import LeadSync
from crm.pull.rows import RemoteLead


def is_known(sync: LeadSync, remote: RemoteLead) -> bool:
    """Whether it was taken over as it is: the overlap shows every row again and again.

    Not if we wrote it since. Both may fall into one second, and the row may say again what it said before.
    """
    is_same = (sync.remote_stamp, sync.remote_digest) == (remote.stamp, remote.digest)
    return is_same and (sync.acknowledged_at is None or sync.acknowledged_at < remote.stamp)


def brings_news(
    sync: LeadSync, remote: RemoteLead, *, rules: Sequence[FieldRule], people: Mapping[str, int]
) -> bool:
    """Whether somebody changed something there: all that is not our own write coming back.

    `people`: by the id of their user there, those whom the portal knows.
    """
    return (
        has_new_status(sync, remote)
        or has_new_owner(sync, remote, people=people)
        # The push may have met it first: it then forgets the row it knew.
        or (remote.is_converted and not (sync.is_converted and sync.remote_digest))
        or sync.removed_at is not None
        or any(has_changed(sync, remote, rule) for rule in rules)
    )


def has_new_status(sync: LeadSync, remote: RemoteLead) -> bool:
    """A value read for the first time is no change; one that we sent and saw no answer to is our own."""
    return sync.remote_status not in ("", remote.status) and remote.status != sync.sending.get("Status")


def has_new_owner(sync: LeadSync, remote: RemoteLead, *, people: Mapping[str, int]) -> bool:
    """Read for the first time, an owner is one only if it is somebody whom we know: others are whoever made
    the record, or a queue that an assignment rule chose."""
    if remote.owner_id in (sync.remote_owner_id, sync.sending.get("OwnerId")):
        return False
    return sync.remote_owner_id != "" or remote.owner_id in people


def has_changed(sync: LeadSync, remote: RemoteLead, rule: FieldRule) -> bool:
    """Whether the field differs there from what both sides last agreed on."""
    theirs = as_stored(remote.values[rule.salesforce_field], rule)
    return theirs != as_stored(base_of(sync, remote, rule), rule)


def base_of(sync: LeadSync, remote: RemoteLead, rule: FieldRule) -> object:
    """What both sides last agreed on. What we sent and saw no answer to has arrived if it is there."""
    name = rule.salesforce_field
    if name in sync.sending and as_stored(sync.sending[name], rule) == as_stored(remote.values[name], rule):
        return sync.sending[name]
    return sync.acknowledged.get(name)

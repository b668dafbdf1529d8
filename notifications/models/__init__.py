"""What people are told, over which ways, and when they want to be left alone."""

from notifications.models.channels import Channel, ChannelQuerySet
from notifications.models.deliveries import Delivery, DeliveryQuerySet
from notifications.models.digests import Digest
from notifications.models.messages import Notification, NotificationQuerySet
from notifications.models.preferences import Preference, PreferenceQuerySet
from notifications.models.templates import MessageTemplate

__all__ = [
    "Channel",
    "ChannelQuerySet",
    "Delivery",
    "DeliveryQuerySet",
    "Digest",
    "MessageTemplate",
    "Notification",
    "NotificationQuerySet",
    "Preference",
    "PreferenceQuerySet",
]

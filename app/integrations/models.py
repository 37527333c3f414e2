"""The tables of the packages for other systems."""

from app.integrations.scim.models import DirectoryTeam, DirectoryUser
from app.integrations.webhooks.models import WebhookDelivery, WebhookSubscription

__all__ = ["DirectoryTeam", "DirectoryUser", "WebhookDelivery", "WebhookSubscription"]

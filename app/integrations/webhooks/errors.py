"""What can go wrong with webhooks."""

from app.errors import Conflict, NotFound


class SubscriptionUnknown(NotFound):
    title = "There is no such webhook"


class DeliveryUnknown(NotFound):
    title = "There is no such delivery"


class TooManySubscriptions(Conflict):
    code, title = "too_many_webhooks", "There are as many webhooks as a tenant may have"


class NotDead(Conflict):
    code, title = "not_dead", "Only a delivery that was given up can be sent again"


class NotActive(Conflict):
    code, title = "webhook_ended", "This webhook has ended: switch it on first"

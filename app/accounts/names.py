"""The words accounts, contracts and opportunities may use."""

SEGMENTS = ("strategic", "enterprise", "mid_market", "small")
ESCALATOR_KINDS = ("none", "fixed", "index")
RENEWAL_TYPE = "renewal"

HEALTH_MIN = 0
HEALTH_MAX = 100
HEALTH_UNKNOWN = 50

"""Why somebody sent by a CRM is not let in; each named after what was found."""

from app.errors import AppError, Conflict, Forbidden, NotFound


class SignInRefused(AppError):
    """What a CRM sent does not prove who sent it."""

    status, code, title = 401, "sign_in_refused", "What was sent does not prove who sent it"


class Malformed(SignInRefused):
    status, code, title = 400, "malformed", "What was sent is not in its sender's form"


class SignatureWrong(SignInRefused):
    code, title = "signature_wrong", "The signature is not that of the connected CRM"


class AlgorithmRefused(SignInRefused):
    """Also a token that is not signed at all, or with the public key as if it were a secret."""

    code, title = "algorithm_refused", "The signature is of a kind that is not taken"


class SignatureStale(SignInRefused):
    code, title = "signature_stale", "The request was signed too long ago, or in the future"


class NotPosted(SignInRefused):
    """Somebody typed the address, or their CRM is not set to post what it signed."""

    status, code, title = 400, "not_posted", "This address is for your CRM: open the panel there"


class NotApproved(Forbidden):
    """What Canvas says of an app that each user may still have to allow."""

    code, title = "not_approved", "A Salesforce administrator has to let you use this app first"


class WrongTenant(Forbidden):
    """Well signed, for another organisation: one app may serve many."""

    code, title = "wrong_tenant", "This address belongs to another organisation"


class WrongProduct(Forbidden):
    code, title = "wrong_product", "The panel opens in Zendesk Support only"


class Replayed(Conflict):
    """Good once: whoever finds it later gets nothing for it."""

    code, title = "replayed", "This request was used before: open the panel again"


class UserUnknown(Forbidden):
    """Nobody here answers to this CRM user, or not any more."""

    code, title = "user_unknown", "You are not known to Firsthand yet"


class InstallationUnknown(NotFound):
    title = "Nothing is connected at this address"


class KeyTaken(Conflict):
    code, title = "installation_taken", "This organisation is connected already"

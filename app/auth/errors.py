"""What can go wrong with tenants, users, tokens, settings and links."""

from app.errors import AppError, Conflict, NotFound, Unauthenticated


class PersonErased(Conflict):
    """They were erased by law; nothing brings them back."""

    code, title = "person_erased", "The person with this address was erased"


class EmailTaken(Conflict):
    code, title = "email_taken", "Another user of this tenant has this e-mail address"


class DutyRequired(Conflict):
    """Duty owner and deputy are the last resort of routing, so they stay able to work while they are named."""

    code, title = "on_duty", "This user is named as duty owner or deputy: name another in the settings first"


class NoDutyOwner(Conflict):
    """A raise before any user exists: an escalation is never unowned."""

    code, title = "no_duty_owner", "The tenant has no duty owner yet: create a user first"


class ManagerCycle(Conflict):
    code, title = "manager_cycle", "Somebody cannot be above themselves in the line"


class LinkUnknown(NotFound):
    """Not ours, changed on the way, or its person is gone: which of them, a stranger does not learn."""

    code, title = "link_unknown", "This link does not lead anywhere"


class LinkExpired(AppError):
    """It was ours; the person asks for a new one or signs in."""

    status, code, title = 410, "link_expired", "This link has expired"


class SealBroken(Conflict):
    """Sealed for somebody else, changed since, or sealed with a key that is no longer among the settings."""

    code, title = "seal_broken", "A kept secret can no longer be read: enter it again"


class LaunchRefused(Unauthenticated):
    """Not ours, used before, or its minute is over: which of them, a stranger does not learn."""

    code, title = "launch_refused", "This way into the panel is no longer open: open it again where you came from"


class SessionEnded(Unauthenticated):
    code, title = "session_ended", "The session is over: open the panel again where you came from"


class SignInRefused(AppError):
    """Why somebody could not sign in at their identity provider; each is a page in plain words."""

    status, code, title = 403, "sign_in_refused", "You could not be signed in"


class NoProvider(SignInRefused):
    status, code, title = 404, "no_identity_provider", "There is no sign-in here"


class ProviderAway(SignInRefused):
    """It does not answer, or not as an identity provider does."""

    status, code, title = 503, "provider_away", "The identity provider does not answer as it should"


class ProviderRefused(SignInRefused):
    """It sent an error instead of a person."""

    code, title = "provider_refused", "The identity provider refused"


class SignInCancelled(ProviderRefused):
    code, title = "sign_in_cancelled", "The sign-in was broken off"


class SignInStale(SignInRefused):
    """Not begun in this browser, used before, or too old: which of them, a stranger does not learn."""

    status, code, title = 410, "sign_in_stale", "This sign-in is no longer open"


class IdentityUnproven(SignInRefused):
    """What the provider sent does not prove who somebody is."""

    code, title = "identity_unproven", "The identity provider's answer proves nothing"


class NotOfThisOrganisation(SignInRefused):
    """A required claim is another or missing."""

    code, title = "other_organisation", "This account belongs to another organisation"


class EmailUnproven(SignInRefused):
    code, title = "email_unproven", "The identity provider does not vouch for an e-mail address"


class PersonUnknown(SignInRefused):
    code, title = "person_unknown", "Nobody here has this address"


class AccountUnknown(SignInRefused):
    """Where addresses are not asked, an admin says whose account it is."""

    code, title = "account_unknown", "Nobody here is known by this account"


class PersonInactive(SignInRefused):
    """They left, or are no person but a program."""

    code, title = "person_inactive", "This person may not sign in"


class IdentityTaken(SignInRefused):
    """Another account of the same provider has signed in as this person before: an address may have changed hands."""

    code, title = "identity_taken", "This person is known by another account"


class IdentityLinked(Conflict):
    code, title = "identity_linked", "The account or the person is linked already: remove that link first"

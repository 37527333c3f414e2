"""Why a sign-in was refused, in plain words, and whether beginning again may help."""

from app.errors import AppError
from app.texts import gettext, noted

# By code: what has happened, what to do, and whether to begin again, perhaps with another account.
WORDS: dict[str, tuple[str, str, str]] = {
    "no_identity_provider": (
        noted("There is no sign-in here"),
        noted("Open Firsthand from your CRM, or ask an administrator for the address of your sign-in."),
        "",
    ),
    "provider_away": (
        noted("Your company's sign-in does not answer"),
        noted("Nothing is wrong with your account. Try again in a minute; if it stays so, tell an administrator."),
        "again",
    ),
    "seal_broken": (
        noted("The sign-in has to be set up again"),
        noted("Tell an administrator of Firsthand: the secret of your company's sign-in has to be entered again."),
        "",
    ),
    "provider_refused": (
        noted("Your company's sign-in said no"),
        noted("The reason it gave: %(detail)s. Whoever looks after your accounts can tell you more."),
        "again",
    ),
    "sign_in_cancelled": (
        noted("You broke off the sign-in"),
        noted("Nothing has happened. Start again whenever you like."),
        "again",
    ),
    "sign_in_stale": (
        noted("This sign-in is no longer open"),
        noted("It was left for too long, used before, or begun in another browser. Please start again."),
        "again",
    ),
    "identity_unproven": (
        noted("We could not make sure who you are"),
        noted("The answer of your company's sign-in did not hold. Start again; if it stays so, tell an administrator."),
        "again",
    ),
    "other_organisation": (
        noted("This account belongs to another organisation"),
        noted("Sign in with the account you use at work."),
        "choose",
    ),
    "email_unproven": (
        noted("Your address is not confirmed"),
        noted(
            "Your company's sign-in does not confirm your e-mail address, by which we would know you. "
            "Ask an administrator of Firsthand to link your account; its name is %(subject)s."
        ),
        "choose",
    ),
    "person_unknown": (
        noted("You are not known here yet"),
        noted("Nobody here has the address %(email)s. Ask an administrator of Firsthand to add you."),
        "choose",
    ),
    "account_unknown": (
        noted("Your account is not linked yet"),
        noted("Ask an administrator of Firsthand to link your account; its name is %(subject)s."),
        "choose",
    ),
    "person_inactive": (
        noted("You can no longer sign in here"),
        noted("%(email)s was deactivated, or belongs to a program. An administrator of Firsthand can change that."),
        "choose",
    ),
    "identity_taken": (
        noted("Another account is linked to this person"),
        noted(
            "Somebody has signed in as %(email)s with another account before. "
            "If that was you, ask an administrator of Firsthand to remove the older link."
        ),
        "choose",
    ),
}


def refusal_words(refused: AppError) -> tuple[str, str, str]:
    """Title, text and `again`, `choose` (another account) or nothing, in the reader's language."""
    title, text, again = WORDS[refused.code]
    return gettext(title), gettext(text) % {"detail": refused.detail, **refused.extra}, again

"""Zendesk's token: RS256 with the app's key, for this installation, in its time, and nothing else."""

import base64
import hashlib
import hmac
import json

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from app.panels.embed.errors import (
    AlgorithmRefused,
    Malformed,
    SignatureStale,
    SignatureWrong,
    WrongProduct,
    WrongTenant,
)
from app.panels.embed.zendesk import AUDIENCE, ZendeskVisit, read_key, read_token

KEY = RSAKey.generate_key(2048)
PUBLIC = KEY.as_pem(private=False).decode()
AUD = "https://acme.zendesk.com/api/v2/apps/installations/4711.json"
NOW = 1_790_000_000


def claims(**changes):
    made = {
        "iss": "acme.zendesk.com",
        "aud": AUD,
        "sub": "https://acme.zendesk.com/api/v2/users/1234.json",
        "iat": NOW - 5,
        "exp": NOW + 55,
        "jti": "one",
        "qsh": "0",
        "context": {"product": "support", "location": "ticket_sidebar"},
    } | changes
    return {name: value for name, value in made.items() if value is not ...}


def token(*, key=KEY, algorithm="RS256", **changes):
    return jwt.encode({"alg": algorithm, "typ": "JWT"}, claims(**changes), key, algorithms=[algorithm])


def read(sent, *, audience=AUD, now=NOW):
    return read_token(sent, public_key=PUBLIC, audience=audience, now=now)


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_token_says_which_agent_opened_the_app_where():
    assert read(token()) == ZendeskVisit("1234", "ticket_sidebar", NOW + 55)


@pytest.mark.parametrize("issuer", ["acme.zendesk.com", "https://acme.zendesk.com"])
def test_the_issuer_is_the_accounts_host_with_or_without_https(issuer):
    assert read(token(iss=issuer)).user_id == "1234"


@pytest.mark.parametrize("sub", ["1234", 1234, "https://acme.zendesk.com/api/v2/users/1234"])
def test_the_agent_is_named_by_number_or_by_address(sub):
    assert read(token(sub=sub)).user_id == "1234"


@pytest.mark.parametrize("sub", [None, "", "me", "https://evil.example/api/v2/users/1.json", "12 34"])
def test_a_token_without_an_agent_is_malformed(sub):
    with pytest.raises(Malformed):
        read(token(sub=sub))


def test_a_token_signed_with_another_key_is_refused():
    with pytest.raises(SignatureWrong):
        read(token(key=RSAKey.generate_key(2048)))


def test_a_token_changed_under_its_signature_is_refused():
    head, _, rest = token().partition(".")
    signature = rest.rpartition(".")[2]
    with pytest.raises(SignatureWrong):
        read(f"{head}.{part(claims(sub='1'))}.{signature}")


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE"])
@pytest.mark.parametrize("signature", ["", "e30"])
def test_a_token_that_says_it_needs_no_signature_is_refused(algorithm, signature):
    with pytest.raises(AlgorithmRefused):
        read(f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims())}.{signature}")


@pytest.mark.parametrize("key", [PUBLIC, PUBLIC.strip(), ""])
def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(key):
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims())}"
    signature = hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()
    with pytest.raises(AlgorithmRefused):
        read(f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_the_right_key_with_another_algorithm_is_refused(algorithm):
    with pytest.raises(AlgorithmRefused):
        read(token(algorithm=algorithm))


@pytest.mark.parametrize(
    "sent",
    ["", "a", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e", "ü.ü.ü", f"{part([1])}.{part(claims())}.AA", "." * 100_000],
)
def test_what_is_no_token_is_refused(sent):
    with pytest.raises((Malformed, AlgorithmRefused)):
        read(sent)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://acme.zendesk.com/api/v2/apps/installations/4712.json"},
        {"aud": "https://other.zendesk.com/api/v2/apps/installations/4711.json"},
        {"aud": [AUD, "https://other.zendesk.com/api/v2/apps/installations/4711.json"]},
        {"aud": None},
        {"aud": ...},
        {"iss": "other.zendesk.com"},
        {"iss": "http://acme.zendesk.com"},
        {"iss": "acme.zendesk.com.evil.example"},
        {"iss": None},
        {"iss": ...},
    ],
)
def test_a_token_for_another_installation_or_account_is_refused(changes):
    """The key is the app's, the same for everybody who installed it."""
    with pytest.raises(WrongTenant):
        read(token(**changes))


@pytest.mark.parametrize(("late", "good"), [(0, True), (54, True), (84, True), (85, False), (3600, False)])
def test_a_token_lives_until_half_a_minute_after_its_end(late, good):
    if good:
        assert read(token(), now=NOW + late).expires_at == NOW + 55
    else:
        with pytest.raises(SignatureStale):
            read(token(), now=NOW + late)


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_a_token_from_more_than_half_a_minute_ahead_is_refused(name):
    assert read(token(**{name: NOW + 30})).user_id
    with pytest.raises(SignatureStale):
        read(token(**{name: NOW + 31}))


@pytest.mark.parametrize(
    "changes",
    [{"exp": ...}, {"iat": ...}, {"exp": "soon"}, {"iat": None}, {"exp": True}, {"nbf": "x"}, {"exp": 10**20}],
)
def test_a_token_that_does_not_say_its_time_is_malformed(changes):
    with pytest.raises(Malformed):
        read(token(**changes))


@pytest.mark.parametrize("context", [{"product": "chat"}, {"product": None}, {}, None, "support", ["support"]])
def test_a_token_of_another_product_is_refused(context):
    with pytest.raises(WrongProduct):
        read(token(context=context))


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "nonsense",
        KEY.as_pem(private=True).decode(),
        ECKey.generate_key("P-256").as_pem(private=False).decode(),
        json.dumps(KEY.as_dict(private=False)),
    ],
)
def test_only_a_public_rsa_key_is_taken_for_one(pem):
    with pytest.raises(ValueError, match="key"):
        read_key(pem)


def test_an_installations_address_has_one_form():
    assert AUDIENCE.match(AUD)
    for wrong in (AUD.replace("https", "http"), AUD + "?x", AUD.removesuffix(".json"), "https://evil.example/" + AUD):
        assert not AUDIENCE.match(wrong)

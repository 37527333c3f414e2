"""CRMs as they call: a connection each, and what they sign."""

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey

from app import clock
from app.panels.embed.hubspot import sign
from app.panels.embed.salesforce import long_id
from tests.conftest import ApiClient

SECRET = "8B3F1A0C5D7E44AA"
ORGANIZATION = "00D30000000001bEAA"
CRM_USER = long_id("005300000000001")
RECORD = long_id("0013000000sXpXQ")
KEY = RSAKey.generate_key(2048)
AUDIENCE = "https://acme.zendesk.com/api/v2/apps/installations/4711.json"
AGENT = "1234"
BASE = "http://127.0.0.1:8000"
PORTAL = "62515"

CONNECTIONS = {
    "salesforce": {"external_key": ORGANIZATION, "secret": SECRET},
    "hubspot": {"external_key": PORTAL, "secret": SECRET},
    "zendesk": {"external_key": AUDIENCE, "public_key": KEY.as_pem(private=False).decode()},
    "generic": {"external_key": "dynamics"},
}


def connect(client, kind, **changes):
    """A connection as the API answers it."""
    body = {"kind": kind, "name": f"Acme in {kind}", **CONNECTIONS[kind], **changes}
    made = client.post("/api/v1/embed-installations", json=body)
    assert made.status_code == 201, made.text
    return made.json


def place_of(installation):
    """The address of a connection as a path."""
    return installation["address"].removeprefix(BASE)


class Salesforce:
    """Posts signed requests as Canvas does; each opening has another OAuth token, so no two are alike."""

    def __init__(self, app, installation):
        self.anybody, self.path = ApiClient(app, None), place_of(installation)
        self.opened = 0

    def signed(self, *, secret=SECRET, organization=ORGANIZATION, record=RECORD, **user):
        self.opened += 1
        content = {
            "algorithm": "HMACSHA256",
            "issuedAt": None,
            "client": {
                "oauthToken": f"00D!{self.opened}",
                "instanceUrl": "https://acme.my.salesforce.com",
                "targetOrigin": "https://acme.lightning.force.com",
            },
            "context": {
                "user": {"userId": CRM_USER, "email": "cora@example.com", "userType": "STANDARD"} | user,
                "organization": {"organizationId": organization},
                "environment": {"record": {"Id": record} if record else {}},
            },
        }
        payload = base64.b64encode(json.dumps(content).encode()).decode()
        digest = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
        return f"{base64.b64encode(digest).decode()}.{payload}"

    def send(self, signed):
        return self.anybody.post(self.path, data={"signed_request": signed})

    def open(self, **options):
        return self.send(self.signed(**options))


class HubSpot:
    """Asks as HubSpot's servers do for a card."""

    def __init__(self, app, installation):
        self.anybody, self.path = ApiClient(app, None), place_of(installation)

    def headers(self, method, address, body, *, secret=SECRET, at=None):
        stamp = str(at or int(clock.real_now().timestamp() * 1000))
        return {
            "X-HubSpot-Signature-v3": sign(secret, method, f"{BASE}{address}", body, stamp),
            "X-HubSpot-Request-Timestamp": stamp,
            "Content-Type": "application/json",
        }

    def address(self, path="", *, portal=PORTAL, user="7", email="cora@example.com", **more):
        return f"{self.path}{path}?{urlencode({'userId': user, 'userEmail': email, 'portalId': portal, **more})}"

    def ask(self, path="", question=None, *, secret=SECRET, at=None, **who):
        address = self.address(path, **who)
        body = json.dumps(question or {"objectId": "501", "objectTypeId": "0-2"}).encode()
        headers = self.headers("POST", address, body, secret=secret, at=at)
        return self.anybody.post(address, data=body, headers=headers)


class Zendesk:
    """Posts its token as Zendesk does for the first page of an app."""

    def __init__(self, app, installation):
        self.anybody, self.path = ApiClient(app, None), place_of(installation)
        self.opened = 0

    def token(self, *, key=KEY, **changes):
        self.opened += 1
        now = int(clock.real_now().timestamp())
        claims = {
            "iss": "acme.zendesk.com",
            "aud": AUDIENCE,
            "sub": AGENT,
            "iat": now,
            "exp": now + 60,
            "jti": str(self.opened),
            "context": {"product": "support", "location": "ticket_sidebar"},
        } | changes
        return jwt.encode({"alg": "RS256", "typ": "JWT"}, claims, key)

    def send(self, token):
        query = "?origin=https%3A%2F%2Facme.zendesk.com&app_guid=b3f1"
        return self.anybody.post(self.path + query, data={"token": token})

    def open(self, **changes):
        return self.send(self.token(**changes))

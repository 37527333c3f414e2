"""A real identity provider in the test's process, which can be told to misbehave."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from app import clock

CLIENT_ID, CLIENT_SECRET = "firsthand at acme", "a secret/with: signs"
Change = Callable[[dict[str, Any]], None]


def new_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


FIRST_KEY, SECOND_KEY = new_key("one"), new_key("two")


@dataclass
class Provider:
    """Gives codes to whoever comes as `person`; `change_*` alter what it says, `slow` holds its answers back."""

    host: str = "127.0.0.1"
    port: int = 0
    realm: str = field(default_factory=lambda: secrets.token_hex(4))  # a port may be another provider's later
    person: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    key: Any = field(default_factory=lambda: FIRST_KEY)
    listed: list[RSAKey] = field(default_factory=lambda: [FIRST_KEY])
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "one"})
    change_claims: Change = lambda claims: None
    change_metadata: Change = lambda content: None
    change_answer: Change = lambda content: None
    error: str | None = None
    away: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"http://{self.host}:{self.port}/{self.realm}"

    def answer(self, method: str, path: str, query: dict[str, str], form: dict[str, str], auth: str) -> Any:
        """Status, headers and content for a request."""
        door = path.removeprefix(f"/{self.realm}/")
        self.asked.append(door)
        if self.away:
            return 503, {}, "away"
        doors = {
            ".well-known/openid-configuration": lambda: self.metadata(),
            "keys": lambda: {"keys": [key.as_dict(private=False) for key in self.listed]},
            "authorize": lambda: self.authorize(query),
            "token": lambda: self.exchange(form, auth),
            "userinfo": lambda: self.userinfo,
        }
        said = doors[door]()
        return said if isinstance(said, tuple) else (200, {}, said)

    def metadata(self) -> dict[str, Any]:
        content = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/leave",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }
        if self.userinfo is not None:
            content["userinfo_endpoint"] = f"{self.issuer}/userinfo"
        self.change_metadata(content)
        return content

    def authorize(self, query: dict[str, str]) -> Any:
        """Nobody is asked for a password: `person` has one already."""
        assert query["client_id"] == CLIENT_ID
        assert query["response_type"] == "code"
        assert "openid" in query["scope"].split()
        assert query["code_challenge_method"] == "S256"
        said = {"state": query["state"]}
        if self.error:
            said["error"] = self.error
        else:
            said["code"] = secrets.token_urlsafe(16)
            self.codes[said["code"]] = query
        self.change_answer(said)
        return 302, {"Location": f"{query['redirect_uri']}?{urlencode(said)}"}, ""

    def exchange(self, form: dict[str, str], auth: str) -> Any:
        """A code once, for its client, its address and the verifier of its challenge."""
        name, _, secret = base64.b64decode(auth.removeprefix("Basic ")).decode().partition(":")
        if (unquote(name), unquote(secret)) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {}, {"error": "invalid_client"}
        asked = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or (asked["redirect_uri"], asked["code_challenge"]) != (form["redirect_uri"], challenge):
            return 400, {}, {"error": "invalid_grant"}
        return {"access_token": "bearer", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}

    def id_token(self, nonce: str) -> str:
        now = int(clock.real_now().timestamp())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "nonce": nonce, "iat": now, "exp": now + 300, **self.person}
        self.change_claims(claims)
        if self.header["alg"] in ("none", "HS256"):
            return forged(self.header, claims)
        return jwt.encode(self.header, claims, self.key, algorithms=[self.header["alg"]])


def forged(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Signed by nobody; or, the trick of old libraries, with the public key's text as the secret of an HMAC."""
    content = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
    if header["alg"] == "none":
        return f"{content}."
    public = FIRST_KEY.as_pem(private=False)
    return f"{content}.{_encoded(hmac.digest(public, content.encode(), 'sha256'))}"


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


@contextmanager
def providing(**options: Any) -> Iterator[Provider]:
    """A provider on a free port of this machine."""
    provider = Provider(**options)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.respond({})

        def do_POST(self) -> None:
            self.respond(_flat(self.rfile.read(int(self.headers["Content-Length"])).decode()))

        def respond(self, form: dict[str, str]) -> None:
            parts = urlsplit(self.path)
            auth = self.headers.get("Authorization", "")
            status, headers, content = provider.answer(self.command, parts.path, _flat(parts.query), form, auth)
            body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {
                "Content-Length": str(len(body)),
                "Content-Type": "application/json",
                **headers,
            }.items():
                self.send_header(name, value)
            with suppress(BrokenPipeError, ConnectionResetError):  # who asked has gone
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.port = server.server_port
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}

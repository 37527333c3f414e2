"""Environment → settings. Every missing or wrong setting is said at once, and the process refuses to start."""

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

PREFIX = "FIRSTHAND_"
T = TypeVar("T")


class BadSettings(Exception):
    """The environment is incomplete or wrong; `faults` lists one sentence per setting."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("The settings have faults:\n" + "\n".join(f"  - {fault}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True)
class Settings:
    """What the environment says; the README's table documents each."""

    database_url: str
    migration_url: str
    replica_url: str | None
    redis_url: str
    secret_key: str
    sealing_keys: tuple[str, ...]
    base_url: str
    data_dir: Path
    smtp_url: str | None
    mail_from: str
    sweep_seconds: float
    log_format: str
    log_level: str
    app_role: str
    finder_role: str
    token_rate: int
    tenant_rate: int
    max_body_bytes: int
    max_import_bytes: int
    attachments_url: str
    max_attachment_bytes: int
    max_case_attachment_bytes: int
    scan_command: tuple[str, ...]
    workers: int
    private_networks: tuple[IPv4Network | IPv6Network, ...]


def database_name(url: str) -> str:
    return urlsplit(url).path.lstrip("/").split("?")[0] or "postgres"


def _postgres(value: str) -> str:
    for scheme in ("postgresql://", "postgres://"):
        if value.startswith(scheme):
            value = "postgresql+psycopg://" + value.removeprefix(scheme)
    if not value.startswith("postgresql+psycopg://"):
        raise ValueError("a PostgreSQL URL such as postgresql://user:password@host/name")
    return value


def _replica(value: str) -> str | None:
    return _postgres(value) if value else None


def _redis(value: str) -> str:
    if urlsplit(value).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("a Redis URL such as redis://host:6379/0")
    return value


def _smtp(value: str) -> str | None:
    if not value:
        return None
    parts = urlsplit(value)
    if parts.scheme not in ("smtp", "smtps", "smtp+starttls") or not parts.hostname:
        raise ValueError("smtp://, smtp+starttls:// or smtps:// with a host")
    return value


def _store(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme == "s3" and parts.netloc and find_spec("s3fs") is None:
        raise ValueError("the extra s3 to be installed for s3://")
    if not (parts.scheme == "s3" and parts.netloc) and not (parts.scheme == "file" and parts.path.startswith("/")):
        raise ValueError("file:///a/folder or s3://bucket/prefix")
    return value.rstrip("/")


def _command(value: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(value))
    except ValueError as fault:
        raise ValueError(f"a command with its arguments ({fault})") from fault


def _http(value: str) -> str:
    if urlsplit(value).scheme not in ("http", "https"):
        raise ValueError("an http or https URL")
    return value.rstrip("/")


def _secret(value: str) -> str:
    if len(value) < 32:
        raise ValueError("at least 32 characters of random text")
    return value


def _secrets(value: str) -> tuple[str, ...]:
    try:
        return tuple(_secret(key) for key in value.split())
    except ValueError as fault:
        raise ValueError(f"keys with spaces between them, each {fault}") from fault


def _networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(network) for network in value.split())
    except ValueError as fault:
        raise ValueError(f"networks with spaces between them, such as 10.20.0.0/16 ({fault})") from fault


def _seconds(value: str) -> float:
    number = float(value)
    if not 0.05 <= number <= 3600:
        raise ValueError("a number of seconds from 0.05 to 3600")
    return number


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        number = int(value)
        if not low <= number <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return number

    return read


def _one_of(*words: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in words:
            raise ValueError("one of " + ", ".join(words))
        return value

    return read


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.faults: list[str] = []

    def get(self, name: str, read: Callable[[str], T], default: str | None, blank: T) -> T:
        """The setting, or `default`; a fault is noted and `blank` stands in until all are read."""
        value = self.environ.get(PREFIX + name, default)
        if value is None:
            self.faults.append(f"{PREFIX}{name} is missing")
            return blank
        try:
            return read(value)
        except ValueError as error:
            self.faults.append(f"{PREFIX}{name} is wrong: expected {error}")
            return blank


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read every setting; raise `BadSettings` with all faults together."""
    reader = _Reader(os.environ if environ is None else environ)
    get = reader.get
    database_url = get("DATABASE_URL", _postgres, None, "")
    name = database_name(database_url)
    data_dir = get("DATA_DIR", Path, ".firsthand", Path())
    secret_key = get("SECRET_KEY", _secret, None, "")
    settings = Settings(
        database_url=database_url,
        migration_url=get("MIGRATION_URL", _postgres, database_url or "postgresql://unset/unset", ""),
        replica_url=get("REPLICA_URL", _replica, "", None),
        redis_url=get("REDIS_URL", _redis, None, ""),
        secret_key=secret_key,
        sealing_keys=get("SEALING_KEYS", _secrets, "", ()) or (secret_key,),
        base_url=get("BASE_URL", _http, "http://127.0.0.1:8000", ""),
        data_dir=data_dir,
        smtp_url=get("SMTP_URL", _smtp, "", None),
        mail_from=get("MAIL_FROM", str, "Firsthand <firsthand@localhost>", ""),
        sweep_seconds=get("SWEEP_SECONDS", _seconds, "5", 0.0),
        log_format=get("LOG_FORMAT", _one_of("json", "text"), "json", ""),
        log_level=get("LOG_LEVEL", _one_of("debug", "info", "warning", "error"), "info", ""),
        app_role=get("APP_ROLE", str, f"{name}_app", ""),
        finder_role=get("FINDER_ROLE", str, f"{name}_finder", ""),
        token_rate=get("TOKEN_RATE", _whole(1, 10_000_000), "6000", 0),
        tenant_rate=get("TENANT_RATE", _whole(1, 100_000_000), "60000", 0),
        max_body_bytes=get("MAX_BODY_BYTES", _whole(1024, 2**30), str(2**20), 0),
        max_import_bytes=get("MAX_IMPORT_BYTES", _whole(1024, 2**40), str(4 * 2**30), 0),
        attachments_url=get("ATTACHMENTS_URL", _store, (data_dir.resolve() / "attachments").as_uri(), ""),
        max_attachment_bytes=get("MAX_ATTACHMENT_BYTES", _whole(1024, 2**30), str(25 * 2**20), 0),
        max_case_attachment_bytes=get("MAX_CASE_ATTACHMENT_BYTES", _whole(1024, 2**40), str(500 * 2**20), 0),
        scan_command=get("SCAN_COMMAND", _command, "", ()),
        workers=get("WORKERS", _whole(1, 64), "1", 0),
        private_networks=get("PRIVATE_NETWORKS", _networks, "", ()),
    )
    if reader.faults:
        raise BadSettings(reader.faults)
    return settings

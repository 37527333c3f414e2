"""Firsthand: escalations linked to accounts, owned from the start, closed within 30 days."""

from dataclasses import asdict
from importlib import import_module

from flask import Flask

from app import http, logs, queue
from app.auth import guards
from app.config import Settings, load_settings
from app.db import db

# Packages with doors to the API, from the lowest to the highest, and those whose doors are pages.
PACKAGES = (
    "auth", "accounts", "notifications", "sla", "routing", "playbooks", "escalations", "reports", "integrations",
    "operations",
)  # fmt: skip
PAGES = ("panels",)


def create_app(settings: Settings | None = None, *, doors: bool = True) -> Flask:
    """The application: configuration, extensions, guards, errors and every package's blueprints.

    `doors=False` leaves the routes out: a worker or a command answers nobody, and they take most of a start.
    """
    settings = settings or load_settings()
    logs.configure(settings.log_format, settings.log_level)
    app = Flask(__name__, static_folder=None)
    app.config.update({name.upper(): value for name, value in asdict(settings).items()})
    app.config["SETTINGS"] = settings
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    options = {
        "pool_size": 10,
        "max_overflow": 20,
        "pool_pre_ping": False,
        "connect_args": {"connect_timeout": 5},  # a host that swallows packets is a database that is away
    }
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    if settings.replica_url:
        app.config["SQLALCHEMY_BINDS"] = {"replica": {"url": settings.replica_url, **options}}
    app.json.sort_keys = False  # type: ignore[attr-defined]
    db.init_app(app)
    queue.init_app(app)
    logs.init_app(app)
    guards.init_app(app)
    http.init_app(app)
    for package in PACKAGES:
        import_module(f"app.{package}.models")
    if doors:
        register_blueprints(app)
    return app


def register_blueprints(app: Flask) -> None:
    """What is described goes to the API, the rest (pages, health) beside it."""
    for package in (*PACKAGES, *PAGES):
        for blueprint in import_module(f"app.{package}.routes").blueprints:
            described = isinstance(blueprint, http.ApiBlueprint)
            (http.api if described else app).register_blueprint(blueprint)

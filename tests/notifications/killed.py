"""A deliverer that is killed after the mail server has the mail and before it could write that down."""

import os
import signal
import subprocess
import sys
import threading
from email.message import EmailMessage
from pathlib import Path

from app.config import Settings
from tests.conftest import TestTenant
from tests.notifications.receiver import OK, Receiver

ROOT = Path(__file__).parents[2]
DELIVER = (
    "import sys, uuid\nfrom app import create_app\nfrom app.notifications.jobs import deliver_tenant\n"
    "with create_app(doors=False).app_context(): deliver_tenant(uuid.UUID(sys.argv[1]))"
)


def kill_while_sending(tenant: TestTenant, receiver: Receiver, settings: Settings) -> None:
    """Deliver in a process of its own, and kill it while the mail server takes its first mail in."""
    at_server, killed = threading.Event(), threading.Event()

    def accept_slowly(mail: EmailMessage) -> str:
        at_server.set()
        killed.wait(20)
        return OK

    receiver.on_data = accept_slowly
    environment = {
        "FIRSTHAND_DATABASE_URL": settings.database_url,
        "FIRSTHAND_REDIS_URL": settings.redis_url,
        "FIRSTHAND_SECRET_KEY": settings.secret_key,
        "FIRSTHAND_SMTP_URL": receiver.url,
        "FIRSTHAND_MAIL_FROM": "escalations@firsthand.example",
        "FIRSTHAND_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-c", DELIVER, str(tenant.id)]
    deliverer = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment)
    assert at_server.wait(20)
    deliverer.send_signal(signal.SIGKILL)
    deliverer.wait(10)
    killed.set()
    receiver.wait_for(1)
    receiver.on_data = lambda mail: OK

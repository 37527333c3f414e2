"""Messages delivered per second, from the outbox to a mail server in another process, beside bare smtplib."""

import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from app import clock
from app.auth.models import User
from app.db import new_id, transaction
from app.notifications import service
from app.notifications.jobs import deliver_tenant
from app.notifications.postoffice import POSTMEN
from bench.ground import application, free_port, new_tenant

MAIL = b"Subject: Globex: due on Friday\r\n\r\n" + b"It is due on Friday, and nobody has answered yet.\r\n" * 60


def run(intents: int = 5_000) -> dict[str, Any]:
    port = free_port()
    with application(FIRSTHAND_SMTP_URL=f"smtp://127.0.0.1:{port}"), receiver(port) as counted:
        tenant_id, admin = new_tenant()
        floor = intents / bare(port, intents)
        posting = post(tenant_id, admin, intents)
        began = time.perf_counter()
        told = deliver_tenant(tenant_id, seconds=600)
        seconds = time.perf_counter() - began
    return {
        "intents": intents,
        "told": told,
        "received": counted[0] - intents,
        "posted_per_second": round(intents / posting),
        "delivered_per_second": round(told / seconds),
        "bare_smtplib_per_second": round(floor),
        "ratio": round(told / seconds / floor, 2),
    }


@contextmanager
def receiver(port: int) -> Iterator[list[int]]:
    """The other process; the list holds how many mails it took once it has ended."""
    counted: list[int] = []
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.receiver", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin
    assert process.stdout
    process.stdout.readline()
    yield counted
    process.stdin.close()
    counted.append(int(process.stdout.read()))
    process.wait()


def bare(port: int, count: int) -> float:
    """Seconds for as many ready-made mails of about the same size over as many kept connections."""

    def send(share: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, "localhost") as connection:
            for _ in range(share):
                connection.sendmail("a@example.com", ["b@example.com"], MAIL)

    began = time.perf_counter()
    with ThreadPoolExecutor(POSTMEN) as threads:
        list(threads.map(send, [count // POSTMEN] * POSTMEN))
    return time.perf_counter() - began


def post(tenant_id: UUID, user: User, count: int) -> float:
    """Seconds to write `count` messages in sets of a thousand."""
    now = clock.real_now()
    began = time.perf_counter()
    for start in range(0, count, 1000):
        messages: list[service.Message] = [
            (
                user.id,
                user.email,
                "reminder",
                f"Globex: due on Friday · ESC-{number}",
                "The close target of ESC-1042 is on Friday.\n\nThe customer was last told something 6 days ago.",
                "You get this because you own it.",
                new_id(),
                None,
                str(number),
                now,
                now,
                "email",
            )
            for number in range(start, min(start + 1000, count))
        ]
        with transaction(tenant=tenant_id):
            service.post_all(messages)
    return time.perf_counter() - began

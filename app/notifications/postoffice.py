"""A few postmen share a batch of mails: threads that only talk to the mail server and never to the database."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from queue import Empty, SimpleQueue
from uuid import UUID

from app import clock
from app.notifications.mail import Mail
from app.notifications.retries import UNTRIED, Outcome
from app.notifications.smtp import MailServer, Postman

POSTMEN = 4
REPORT_SECONDS = 0.5
SHIFT_SECONDS = 120
Report = list[tuple[UUID, Outcome]]


class PostOffice:
    """Open for one run of the job: connections and threads are kept from batch to batch."""

    def __init__(self, server: MailServer, postmen: int = POSTMEN) -> None:
        self.postmen = [Postman(server) for _ in range(postmen)]
        self.threads = ThreadPoolExecutor(postmen, thread_name_prefix="postman")
        self.server_away: str | None = None

    def __enter__(self) -> "PostOffice":
        return self

    def __exit__(self, *failure: object) -> None:
        list(self.threads.map(Postman.leave, self.postmen))
        self.threads.shutdown()

    def send_all(self, mails: Sequence[Mail]) -> Iterator[Report]:
        """Send a batch; outcomes are handed out as they come, so that little is unrecorded when we are killed.

        A postman who meets an outage puts the mail back and goes home; what is left when all have gone shares it.
        After `SHIFT_SECONDS` nothing more is begun, so that no lease runs out under a mail.
        """
        self.server_away = None
        waiting, done = deque(mails), SimpleQueue[tuple[UUID, Outcome]]()
        ends_at = clock.monotonic() + SHIFT_SECONDS
        postmen = self.postmen[: len(mails)]
        shifts = [self.threads.submit(self._work, postman, waiting, done, ends_at) for postman in postmen]
        running = set(shifts)
        while running:
            _, running = wait(running, timeout=REPORT_SECONDS)
            if report := _drain(done):
                yield report
        outages = [away for away in (shift.result() for shift in shifts) if away]
        if waiting:
            self.server_away = outages[-1] if outages else None
            left = Outcome("outage", self.server_away) if outages else UNTRIED
            yield [(mail.intent_id, left) for mail in waiting]

    def _work(
        self, postman: Postman, waiting: deque[Mail], done: SimpleQueue[tuple[UUID, Outcome]], ends_at: float
    ) -> str | None:
        """Take mails until there are none; answers what outage ended the work, if one did."""
        while clock.monotonic() < ends_at:
            try:
                mail = waiting.popleft()
            except IndexError:
                return None
            outcome = postman.deliver(mail)
            if outcome.kind == "outage":
                waiting.append(mail)
                return outcome.error
            done.put((mail.intent_id, outcome))
        return None


def _drain(done: SimpleQueue[tuple[UUID, Outcome]]) -> Report:
    report: Report = []
    while True:
        try:
            report.append(done.get_nowait())
        except Empty:
            return report

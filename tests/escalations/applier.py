"""Real processes that apply newer versions to open cases: for each line on stdin a fork is started, its pid printed.

`python -m tests.escalations.applier TENANT MOMENT LIMIT`; settings come from the environment.
"""

import os
import signal
import sys
from datetime import datetime
from uuid import UUID

from app import create_app
from app.db import db
from app.escalations import shifting
from app.escalations.jobs import apply_open_tenant


def main(tenant: str, moment: str, limit: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    shifting.BATCH = int(limit)
    app = create_app(doors=False)
    print("ready", flush=True)
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            with app.app_context():
                apply_open_tenant(UUID(tenant), datetime.fromisoformat(moment))
                db.engine.dispose()
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

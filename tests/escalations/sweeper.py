"""Real processes that sweep: for each line on stdin a fork is started, whose pid is printed.

`python -m tests.escalations.sweeper TENANT MOMENT LIMIT`; settings come from the environment.
"""

import os
import signal
import sys
from datetime import datetime
from uuid import UUID

from app import create_app
from app.db import db
from app.escalations.sweep import sweep_batch


def main(tenant: str, moment: str, limit: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    app = create_app(doors=False)
    print("ready", flush=True)
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            with app.app_context():
                while sweep_batch(UUID(tenant), datetime.fromisoformat(moment), limit=int(limit)).more:
                    pass
                db.engine.dispose()
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

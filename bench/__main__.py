"""`python -m bench NAME [options]` runs one benchmark and prints one JSON object; without a name, every one."""

import argparse
import inspect
import json
import os
import platform
import sys
from importlib import import_module
from typing import Any

# Name → module with `run(**options) -> dict`; the options of the command are its parameters.
BENCHMARKS = {
    "calendar": "bench.calendar",
    "chaos": "bench.chaos",
    "deliver": "bench.deliver",
    "duplicates": "bench.duplicates",
    "forecast": "bench.forecast",
    "import": "bench.accounts_import",
    "outage": "bench.downtime",
    "outage-redis": "bench.outage",
    "panel": "bench.panel",
    "raise": "bench.raise_",
    "replay": "bench.replay",
    "report": "bench.report",
    "route": "bench.route",
    "route-replay": "bench.route_replay",
    "simulate": "bench.simulate",
    "sweep": "bench.sweep",
}
# What is taken when every benchmark runs: the whole log takes minutes.
SMALL: dict[str, dict[str, Any]] = {
    "chaos": {"due": 2_000, "kills": 5, "restarts": 1, "flushes": 1, "seconds": 10.0},
    "duplicates": {"escalations": 20_000, "looks": 100},
    "outage": {"missed": 5_000},
    "outage-redis": {"seconds": 10.0, "before": 3.0},
    "panel": {"escalations": 20_000, "seconds": 2.0},
    "replay": {"limit": 200},
    "raise": {"seconds": 2.0},
    "report": {"escalations": 20_000, "accounts": 2_000, "seconds": 2.0},
    "simulate": {"cases": 1_000},
    "sweep": {"over": 20.0},
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--list", action="store_true", help="the names, one a line")
    commands = parser.add_subparsers(dest="name", metavar="NAME")
    for name, module in BENCHMARKS.items():
        _add_command(commands, name, import_module(module))
    asked = vars(parser.parse_args())
    listed, name = asked.pop("list"), asked.pop("name")
    if listed:
        print("\n".join(BENCHMARKS))
        return 0
    for chosen in [name] if name else BENCHMARKS:
        result = import_module(BENCHMARKS[chosen]).run(**(asked if name else SMALL.get(chosen, {})))
        print(json.dumps({"name": chosen, **result, "machine": machine()}), flush=True)
    return 0


def _add_command(commands: Any, name: str, module: Any) -> None:
    """One option for each parameter of the benchmark's `run`, of its default's type."""
    text = (module.__doc__ or "").splitlines()[0]
    command = commands.add_parser(name, help=text, description=text)
    for option, parameter in inspect.signature(module.run).parameters.items():
        default = parameter.default
        flag = f"--{option.replace('_', '-')}"
        if isinstance(default, bool):
            command.add_argument(flag, action="store_true", default=default)
        else:
            command.add_argument(flag, type=type(default), default=default, help=f"default {default}")


def machine() -> dict[str, Any]:
    """What it ran on."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}


if __name__ == "__main__":
    sys.exit(main())

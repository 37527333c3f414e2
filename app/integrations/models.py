"""The tables of the packages for other systems."""

from app.integrations.scim.models import DirectoryTeam, DirectoryUser

__all__ = ["DirectoryTeam", "DirectoryUser"]

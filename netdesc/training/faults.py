"""What can be wrong with a run directory."""

from __future__ import annotations

from netdesc.errors import NetdescError


class RunDirectoryError(NetdescError):
    """A run directory is taken, missing or damaged, or holds another model."""

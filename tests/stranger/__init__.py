"""A backend as somebody else would write it: a package of its own, in plain Python."""

from stranger.backend import StrangerBackend

__all__ = ["StrangerBackend"]

"""A backend as somebody else would write it: a package of its own, plain Python, nothing of ours but the door."""

from stranger.backend import StrangerBackend

__all__ = ["StrangerBackend"]

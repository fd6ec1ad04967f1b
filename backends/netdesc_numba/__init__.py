"""The numba simulator: event-driven and exact in continuous time, or on a grid."""

from netdesc_numba.backend import NumbaBackend

__all__ = ["NumbaBackend"]

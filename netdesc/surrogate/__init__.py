"""Back-propagation through time from sampled voltages, on the host, for every device that samples them."""

from netdesc.surrogate.adjoint import adjoint

__all__ = ["adjoint"]

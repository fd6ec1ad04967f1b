"""What an interval without events does to a circuit, with all that depends on time constants alone known.

The numbers are those of ``lif.decay`` and ``lif.gain_over`` to the last bit; most of their time is divisions.
"""

from __future__ import annotations

from typing import Any

from netdesc.dynamics.elementary import exponential, exponential_less_one, fused
from netdesc.dynamics.jit import inlined


@inlined
def decay_by(s: float, tau: float, rate: float) -> float:
    """Return ``lif.decay``, with ``1 / tau`` known."""
    q = s * rate
    return exponential(-fused(fused(-q, tau, s), rate, q))


@inlined
def charge_by(s: float, a: float, b: float, rate: float, bend: float, far: float) -> float:
    """Return ``lif.gain_over``.

    Parameters
    ----------
    s : float
        Time in ms.
    a, b : float
        Decays of membrane and current over s.
    rate, bend, far : float
        ``1 / tau_m``, ``(tau_m - tau_s) / (tau_m tau_s)``, ``tau_s / (tau_m - tau_s)``.
    """
    apart = -exponential_less_one(-s * abs(bend))
    slow = a if bend >= 0.0 else b
    return slow * (s * rate if bend == 0.0 else abs(far) * apart)


@inlined
def propagator(s: float, cells: Any, cell: int) -> tuple[float, float, float, float, float]:
    """Return the decays of membrane and both currents over s ms, and the gains of both currents."""
    a = decay_by(s, cells.tau_m[cell], cells.rate_m[cell])
    b = decay_by(s, cells.tau_i[cell], cells.rate_i[cell])
    c = decay_by(s, cells.tau_j[cell], cells.rate_j[cell])
    gain_i = charge_by(s, a, b, cells.rate_m[cell], cells.bend_i[cell], cells.far_i[cell])
    gain_j = charge_by(s, a, c, cells.rate_m[cell], cells.bend_j[cell], cells.far_j[cell])
    return a, b, c, gain_i, gain_j

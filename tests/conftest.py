"""Settings of all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Kernels compile within the first example of a test, and machines are shared: time says nothing here.
settings.register_profile("netdesc", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("netdesc")

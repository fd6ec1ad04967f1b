"""A chip and its circuits: fixed pattern, calibration, noise."""

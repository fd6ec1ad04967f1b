"""An emulated SpiNNaker2: a network sliced over processing elements that exchange packets."""

from netdesc_spinnaker2.backend import SpiNNaker2Backend

__all__ = ["SpiNNaker2Backend"]

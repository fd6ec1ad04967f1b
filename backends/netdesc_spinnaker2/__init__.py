"""An emulated SpiNNaker2: a network sliced over processing elements that exchange packets."""

"""Random networks and losses, to try simulators on."""

"""What a tick does to the neurons of a slice, forward and backward, wherever its spikes come from."""

"""From a network to slices, places, keys and routing tables."""

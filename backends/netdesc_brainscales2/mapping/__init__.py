"""From a network to circuits, rows, buses and labels."""

"""What the host does: running, gradients in the loop."""

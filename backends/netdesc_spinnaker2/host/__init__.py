"""What the host does: loading, running, reading and learning."""

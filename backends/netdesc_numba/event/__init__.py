"""The event-driven solver: exact in continuous time."""

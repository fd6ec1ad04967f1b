"""The analog core: circuits in continuous time."""

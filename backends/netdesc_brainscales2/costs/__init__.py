"""Time, energy and data of a run."""

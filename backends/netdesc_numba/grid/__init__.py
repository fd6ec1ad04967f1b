"""The solver on a time grid, in three schemes."""

"""The programs that processing elements run."""

"""A slow simulator, independent of all others, to compare with."""

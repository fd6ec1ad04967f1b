"""Samples with labels or targets, encoded as spikes once, before the first step of training."""

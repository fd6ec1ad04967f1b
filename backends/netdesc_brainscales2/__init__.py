"""An emulated BrainScaleS-2: analog neurons that differ from each other, with learning in the loop."""

"""An emulated BrainScaleS-2: analog neurons that differ from each other, with learning in the loop."""

from netdesc_brainscales2.backend import BrainScaleS2Backend

__all__ = ["BrainScaleS2Backend"]

"""Pictures of trainings and runs; needs the extra ``plot``."""

from netdesc.plotting.curves import plot_curves
from netdesc.plotting.raster import plot_raster

__all__ = ["plot_curves", "plot_raster"]

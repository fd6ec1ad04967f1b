"""Pictures of networks, trainings and runs; needs the extra ``plot``."""

from netdesc.plotting.curves import plot_curves
from netdesc.plotting.device import View, plot_network
from netdesc.plotting.raster import plot_raster
from netdesc.plotting.traces import plot_traces
from netdesc.plotting.weights import plot_weights

__all__ = ["View", "plot_curves", "plot_network", "plot_raster", "plot_traces", "plot_weights"]

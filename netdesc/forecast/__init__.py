"""How long an epoch will take on this machine and how much memory, before it starts."""

from netdesc.forecast.host import HostForecast, Outline, Samples, forecast_host
from netdesc.forecast.remedies import Remedy
from netdesc.forecast.words import arrange_forecast, tell_forecast

__all__ = [
    "HostForecast",
    "Outline",
    "Remedy",
    "Samples",
    "arrange_forecast",
    "forecast_host",
    "tell_forecast",
]

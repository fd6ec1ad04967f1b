"""How long an epoch will take on this machine and how much memory, before it starts."""

from netdesc.forecast.host import HostForecast, Samples, count_samples, forecast_host
from netdesc.forecast.remedies import Remedy
from netdesc.forecast.words import arrange_forecast, tell_forecast

__all__ = [
    "HostForecast",
    "Remedy",
    "Samples",
    "arrange_forecast",
    "count_samples",
    "forecast_host",
    "tell_forecast",
]

"""Compiling with voltages recorded that can be compared."""

from __future__ import annotations

from dataclasses import replace

from netdesc.api import compile
from netdesc.comparison.records import Settings
from netdesc.compiled import CompiledProgram, Model
from netdesc.description.model import Recording
from netdesc.errors import Diagnostic, NetdescError

INTERVALS = (1, 2, 5, 10)
"""Multiples of the wanted interval at which voltages are sampled, until a backend can."""


def compile_watched(
    model: Model,
    backend: str,
    settings: Settings,
) -> tuple[CompiledProgram, tuple[Diagnostic, ...]]:
    """Compile a model so that voltages of some neurons are recorded, where the backend can.

    Parameters
    ----------
    model : Model
    backend : str
    settings : Settings
        Of how many neurons; the model's own recordings of voltages are kept.

    Returns
    -------
    compiled : CompiledProgram
    notes : tuple of Diagnostic
        A note where voltages are not compared.

    Raises
    ------
    NetdescError
        If the backend cannot run the model.
    """
    for factor in INTERVALS:
        watched = _watching(model, settings, factor)
        if watched is None:
            return compile(model, backend), ()
        try:
            compiled = compile(watched, backend)
            _ = compiled.machine
            return compiled, ()
        except NetdescError:
            # A fault that has nothing to do with recordings is reported by the attempt below.
            continue
    compiled = compile(model, backend)
    return compiled, (Diagnostic("voltages are not compared: the backend cannot record them for this model"),)


def _watching(model: Model, settings: Settings, factor: int) -> Model | None:
    description = model.description
    if settings.neurons == 0 or any(item.variable == "v" for item in description.record):
        return None
    every = float(factor * max(1, round(description.simulation.duration / 400)))
    extra = tuple(
        Recording(name, "v", tuple(range(min(settings.neurons, item.size))), every)
        for name, item in description.populations.items()
        if item.neuron is not None
    )
    return Model(replace(description, record=(*description.record, *extra)))

"""What the compiler knows of each neuron model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """How a neuron model maps onto the one form of the equations.

    Names are those of the model's own parameters; an empty name stands for what the model lacks.

    Parameters
    ----------
    spiking : bool
        False for a membrane without threshold.
    receptors : tuple of str
        Names of its synaptic currents.
    tau_syn : tuple of str
        Time constant of each receptor, ms.
    tau_m, tau_refrac : str
        Time constants, ms.
    rest, threshold, reset : str
        Voltages.
    capacitance : str
        Membrane capacitance, nF; without one the resistance is 1.
    offset : str
        Constant current of the cell itself.
    """

    spiking: bool
    receptors: tuple[str, ...]
    tau_syn: tuple[str, ...]
    tau_m: str
    rest: str
    tau_refrac: str = ""
    threshold: str = ""
    reset: str = ""
    capacitance: str = ""
    offset: str = ""


LINEAR_CELLS: Mapping[str, Cell] = {
    "LIF": Cell(
        spiking=True,
        receptors=("signed",),
        tau_syn=("tau_syn",),
        tau_m="tau_mem",
        rest="v_leak",
        tau_refrac="tau_refrac",
        threshold="v_threshold",
        reset="v_reset",
    ),
    "LI": Cell(spiking=False, receptors=("signed",), tau_syn=("tau_syn",), tau_m="tau_mem", rest="v_leak"),
    "IF_curr_exp": Cell(
        spiking=True,
        receptors=("excitatory", "inhibitory"),
        tau_syn=("tau_syn_E", "tau_syn_I"),
        tau_m="tau_m",
        rest="v_rest",
        tau_refrac="tau_refrac",
        threshold="v_thresh",
        reset="v_reset",
        capacitance="cm",
        offset="i_offset",
    ),
}
"""Cells of the form ``tau_m dv/dt = -(v - rest) + i`` with exponential currents, by model."""


def receptors(model: str) -> tuple[str, ...]:
    """Return the receptors of a neuron model.

    A model that is not in the table has PyNN's pair, since all others are PyNN's.
    """
    cell = LINEAR_CELLS.get(model)
    return cell.receptors if cell else ("excitatory", "inhibitory")


def time_constants(model: str, receptor_names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parameters of a model of ``LINEAR_CELLS`` that hold the synaptic time constants.

    There is one per receptor; the first of the model's where the receptors were merged.
    """
    return LINEAR_CELLS[model].tau_syn[: len(receptor_names)]

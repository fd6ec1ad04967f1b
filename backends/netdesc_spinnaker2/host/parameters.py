"""Weights and delays as the host has them, as the chip holds them, and as they are told."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netdesc.errors import Diagnostic, NumericsError
from netdesc.events import Floats, Integers
from netdesc.precision import beyond_float32
from netdesc.program import Program, weight_scales
from netdesc.steps import whole_steps
from netdesc.streams import stream
from netdesc_spinnaker2.board.integers import scale_of
from netdesc_spinnaker2.mapping.checks import range_of
from netdesc_spinnaker2.mapping.network_view import view_program
from netdesc_spinnaker2.options import Options


class Parameters:
    """Weights and delays of a program.

    Parameters
    ----------
    program : Program
    options : Options
    seed : int
        Of stochastic rounding.
    """

    def __init__(self, program: Program, options: Options, seed: int) -> None:
        self.base, self.options, self.seed, self.writes = program, options, seed, 0
        self.values: dict[str, Floats] = {}
        self.scales = weight_scales(program)
        for block in program.blocks:
            self.values[block.weight_key] = np.array(block.weights)
            self.values[block.delay_key] = np.array(block.delays)
        self.integer = options.weights == "integer"
        self.steps: dict[str, float] = {}
        self.largest: dict[str, int] = {}
        if self.integer:
            network = view_program(program, options, {})
            for block in program.blocks:
                post = program.populations[block.post].name
                self.steps[block.weight_key] = scale_of(network, post, options)
                self.largest[block.weight_key] = int(range_of(network, post, options).value)
        self.held = {block.weight_key: self.round(block.weight_key) for block in program.blocks}

    def program(self) -> Program:
        """Return the program with the present weights and delays."""
        return self.base.with_parameters(self.values)

    def ticks(self) -> dict[str, Integers]:
        """Return the delays in ticks, at least one, by the keys of the blocks."""
        return {
            block.delay_key: np.maximum(whole_steps(self.values[block.delay_key], self.options.step), 1)
            for block in self.base.blocks
        }

    def write(self, parameters: Mapping[str, Floats]) -> bool:
        """Set weights and delays.

        Parameters
        ----------
        parameters : mapping of str to ndarray
            By the keys of the blocks.

        Returns
        -------
        bool
            Whether a delay is among them.

        Raises
        ------
        NumericsError
            With everything that does not fit.
        """
        faults = [text for key, values in parameters.items() for text in self.faults(key, values)]
        if faults:
            raise NumericsError([Diagnostic(text) for text in faults])
        self.writes += 1
        for key, values in parameters.items():
            self.values[key] = np.array(values, dtype=np.float64)
            if key.endswith(".weight"):
                self.held[key] = self.round(key)
        return any(key.endswith(".delay") for key in parameters)

    def faults(self, key: str, values: Floats) -> list[str]:
        """Return what keeps values from being written."""
        if key not in self.values:
            return [f"{key} is not a parameter of this program; it has {', '.join(self.values)}"]
        if np.shape(values) != self.values[key].shape:
            return [f"{key} has shape {np.shape(values)}; it needs {self.values[key].shape}"]
        if not np.isfinite(values).all():
            return [f"{key} holds a value that is not finite; every value must be a number"]
        if key.endswith(".delay") and np.min(values, initial=0.0) < 0.0:
            return [f"{key} holds a negative delay; a delay is at least 0 ms"]
        if key in self.scales:
            found = beyond_float32(values, key, scale=self.scales[key])
            return [f"{key}: {fault.message}" for fault in found]
        return []

    def round(self, key: str) -> Floats:
        """Return weights as the chip holds them, in the units of the file."""
        values = self.values[key]
        if not self.integer:
            return values
        scaled = values * self.steps[key]
        if self.options.rounding == "stochastic":
            words = np.floor(scaled + stream(self.seed, f"rounding.{key}.{self.writes}").random(len(scaled)))
        else:
            words = np.rint(scaled)
        largest = self.largest[key]
        return np.asarray(np.clip(words, -largest, largest) / self.steps[key])

    def scale(self) -> Floats:
        """Return the voltage of the cell per unit of weight, sign included, of all synapses."""
        resistance = self.base.parameters["resistance"]
        return np.concatenate(
            [
                np.empty(0),
                *(
                    block.sign * resistance[self.base.populations[block.post].start + block.sparse()[1]]
                    for block in self.base.blocks
                ),
            ]
        )

    def potentials(self) -> Floats:
        """Return the weights of all synapses as the chip holds them, in the voltage of the cell."""
        return (
            np.concatenate([np.empty(0), *(self.held[block.weight_key] for block in self.base.blocks)])
            * self.scale()
        )

    def as_run(self) -> dict[str, Floats]:
        """Return weights and delays that the chip uses, in the units of the file, by key."""
        result: dict[str, Floats] = {}
        for key, values in self.held.items():
            result[key] = values if self.integer else values.astype(np.float32).astype(np.float64)
        for key, ticks in self.ticks().items():
            result[key] = np.asarray(ticks * self.options.step, dtype=np.float64)
        return result

    def rounding(self) -> dict[str, int]:
        """Return how many integer weights became zero or saturated, in all and by projection."""
        if not self.integer:
            return {}
        counts = {"weights_zeroed": 0, "weights_saturated": 0}
        for block in self.base.blocks:
            key = block.weight_key
            values, held = self.values[key], self.held[key]
            zeroed = int(np.sum((held == 0.0) & (values != 0.0)))
            saturated = int(np.sum(np.abs(values * self.steps[key]) > self.largest[key] + 0.5))
            for name, count in (("weights_zeroed", zeroed), ("weights_saturated", saturated)):
                counts[name] += count
                counts[f"{block.path}.{name}"] = count
        return counts

    def by_key(self, order: Integers, total: Floats) -> dict[str, Floats]:
        """Return gradients by the keys of the trained weights.

        Parameters
        ----------
        order : ndarray of int64
            Number of the synapse of each gradient.
        total : ndarray of float64
            dL/d of the weight in the voltage of the cell.

        Returns
        -------
        dict of str to ndarray
            Per unit of weight of the file.
        """
        scale = self.scale()
        flat = np.zeros(len(scale))
        flat[order] = total * scale[order]
        result, at = {}, 0
        for block in self.base.blocks:
            if block.train_weight:
                result[block.weight_key] = flat[at : at + block.size]
            at += block.size
        return result

"""Weights and delays as the host has them, as the chip holds them, and as they are reported."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netdesc.block import join_charges, split_gradients
from netdesc.events import Floats, Integers
from netdesc.parameters import DELAY, ParameterStore
from netdesc.precision import fits_float32
from netdesc.program import Program
from netdesc.steps import whole_steps
from netdesc.streams import stream
from netdesc_spinnaker2.board.integers import range_of, scale_of
from netdesc_spinnaker2.mapping.network import view_program
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
        self.store = ParameterStore(program.declared(), fits_float32)
        self.integer = options.weights == "integer"
        self.steps: dict[str, float] = {}
        self.largest: dict[str, int] = {}
        if self.integer:
            network = view_program(program, options, ())
            for block in program.blocks:
                post = program.populations[block.post].name
                self.steps[block.weight_key] = scale_of(network, post, options)
                self.largest[block.weight_key] = int(range_of(network, post, options).value)
        self.held = {block.weight_key: self.round(block.weight_key) for block in program.blocks}

    def program(self) -> Program:
        """Return the program with the present weights and delays."""
        return self.base.with_parameters(self.store.values)

    def ticks(self) -> dict[str, Integers]:
        """Return the delays in ticks, at least one, by the keys of the blocks."""
        return {
            block.delay_key: np.maximum(whole_steps(self.store[block.delay_key], self.options.step), 1)
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
        quantities = self.store.write(parameters)
        self.writes += 1
        for key in parameters.keys() & self.held.keys():
            self.held[key] = self.round(key)
        return DELAY in quantities

    def round(self, key: str) -> Floats:
        """Return weights as the chip holds them, in the units of the file."""
        values = self.store[key]
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
        ones = {key: np.ones_like(values) for key, values in self.held.items()}
        return join_charges(self.base.blocks, ones)

    def potentials(self) -> Floats:
        """Return the weights of all synapses as the chip holds them, in the voltage of the cell."""
        return join_charges(self.base.blocks, self.held)

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
            values, held = self.store[key], self.held[key]
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
        charges = np.zeros(sum(block.size for block in self.base.blocks))
        charges[order] = total
        return split_gradients(self.base.blocks, charges, np.empty(0))

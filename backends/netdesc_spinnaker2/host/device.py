"""An emulated board under the control of a host: load, run round after round, read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from netdesc.budget import SpikeBudget
from netdesc.errors import BackendError, Diagnostic
from netdesc.events import Integers
from netdesc.program import Program
from netdesc.threads import available, run, split
from netdesc_spinnaker2.board.assembly import Emulation, fresh_counts, grow
from netdesc_spinnaker2.board.backward import run_round_back
from netdesc_spinnaker2.board.forward import run_samples
from netdesc_spinnaker2.board.loading import FULL_OUT, Out, Stimulus
from netdesc_spinnaker2.board.replay import Records, replay_round
from netdesc_spinnaker2.host.interruptions import relieve
from netdesc_spinnaker2.host.readout import extend, make_out
from netdesc_spinnaker2.programs.loss import Forces

Task = Callable[[tuple[int, int], Emulation, Integers], int]

COUNTS = ("packets", "events", "busiest", "work")
"""Counts of a board."""


@dataclass(slots=True)
class Device:
    """A board, and what the host knows of it.

    Parameters
    ----------
    program : Program
    emulation : Emulation
    samples : ndarray of int64, shape (copies,)
        Sample of each copy in the latest round, -1 for none.
    room : int
        Spikes that the host has room for.
    """

    program: Program
    emulation: Emulation
    samples: Integers
    room: int = 1024

    @property
    def parts(self) -> list[tuple[int, int]]:
        """Ranges of slices that can run at the same time."""
        copies, each = self.emulation.plan.copies, self.emulation.each
        threads = 1 if self.emulation.table.crossing else available()
        return [(first * each, last * each) for first, last in split(copies, threads)]

    def reset_counts(self, batch: int) -> None:
        """Start to count from 0."""
        emulation = self.emulation
        counts = fresh_counts(len(emulation.plan.slices), emulation.each, emulation.rules, batch)
        self.emulation = replace(emulation, board=emulation.board._replace(**counts))

    def run(self, stimulus: Stimulus, batch: int) -> list[tuple[Out, int]]:
        """Run all samples of a batch forward.

        Returns
        -------
        list of (Out, int)
            What was read, and how many spikes that is; from every part of the board.

        Raises
        ------
        NumericsError
            If a limit of the machine is met during the run, or the spikes do not fit into memory.
        """
        while True:
            self.reset_counts(batch)
            budget = self.program.spike_budget(batch)
            outs = [make_out(self.emulation, self.program, batch, self.room) for _ in self.parts]
            outs = [outs[0], *(out._replace(states=outs[0].states) for out in outs[1:])]
            status = [np.zeros(3, dtype=np.int64) for _ in outs]
            samples = [self.samples.copy() for _ in outs]
            codes = self.run_parts(stimulus, budget, outs, samples, status)
            self.room = max(self.room, *(len(out.tick) for out in outs))
            failed = [k for k, code in enumerate(codes) if code]
            if not failed:
                for k, out in enumerate(outs):
                    budget.keep(k, self.count_found(out))
                self.samples = samples[0]
                return [(out, int(out.used[0])) for out in outs]
            self.enlarge(codes[failed[0]], status[failed[0]])

    def run_parts(
        self,
        stimulus: Stimulus,
        budget: SpikeBudget,
        outs: list[Out],
        samples: list[Integers],
        status: list[Integers],
    ) -> list[int]:
        """Run every part of the board, with more room in ``outs`` where needed; return why each stopped."""
        e, parts = self.emulation, self.parts

        def task(k: int, _: int) -> int:
            start, (begin, end) = 0, parts[k]
            while True:
                code = run_samples(
                    (begin, end),
                    samples[k],
                    (start, budget.batch),
                    e.rooms.arrivals,
                    e.memory,
                    stimulus,
                    outs[k],
                    status[k],
                )
                if code != FULL_OUT:
                    return int(code)
                budget.hold(k, self.count_found(outs[k]))
                outs[k], start = extend(outs[k], int(e.rooms.sent[begin:end].sum())), int(status[k][1])

        return run(task, [(k, k + 1) for k in range(len(parts))], len(parts))

    def count_found(self, out: Out) -> dict[str, int]:
        """Return the spikes that were read so far, by population."""
        slices = self.emulation.plan.slices
        counts = np.bincount(out.slice[: int(out.used[0])], minlength=len(slices))
        result: dict[str, int] = {}
        for item, count in zip(slices, counts.tolist(), strict=True):
            if count:
                result[item.population] = result.get(item.population, 0) + count
        return result

    def enlarge(self, code: int, status: Integers) -> None:
        """Make room for a run that stopped, or raise NumericsError."""
        self.emulation = grow(self.emulation, relieve(code, status, self.emulation))

    def run_round(self, first: int, batch: int, stimulus: Stimulus) -> None:
        """Run samples ``first`` and following, one on each copy, forward; as ``run``."""
        copies = self.emulation.plan.copies
        self.samples = np.full(copies, -1, dtype=np.int64)
        out = make_out(self.emulation, replace(self.program, sampling=()), 0, 0)
        last = min(first + copies, batch)
        self.sweep(
            lambda part, e, status: run_samples(
                part, self.samples, (first, last), e.rooms.arrivals, e.memory, stimulus, out, status
            )
        )

    def replay(self, first: int, batch: int, records: Records) -> None:
        """Put spikes of samples ``first`` and following back, one sample on each copy, and send them again.

        Parameters
        ----------
        first, batch : int
            First sample, and number of samples.
        records : Records

        Raises
        ------
        NumericsError
            If the spikes do not fit into the memory of the machine.
        """
        number = first + np.arange(self.emulation.plan.copies)
        self.samples = np.where(number < batch, number, -1)
        before = copy_counts(self.emulation)
        self.sweep(lambda part, e, status: replay_round(part, self.samples, records, e.memory, status))
        # what is counted is the work of the adjoint alone
        restore_counts(self.emulation, before)

    def run_back(self, forces: Forces, recipient: Integers) -> None:
        """Run the samples of the latest round backward.

        Parameters
        ----------
        forces : Forces
        recipient : ndarray of int64, shape (slices,)
            See ``backward.run_round_back``.

        Raises
        ------
        NumericsError
            If a limit of the machine is met during the run.
        """
        self.sweep(
            lambda part, e, status: run_round_back(
                part, self.samples, e.rooms.arrivals, e.memory, forces, recipient, status
            ),
            keeps_stores=True,
        )

    def sweep(self, task: Task, *, keeps_stores: bool = False) -> None:
        """Run a kernel on all parts of the board, again with more room where it stopped for want of it.

        Parameters
        ----------
        task : callable
            Of a part, the board and the status of the run; returns 0, or why it stopped.
        keeps_stores : bool
            Whether stores keep what the forward run has left in them.
        """
        before = copy_counts(self.emulation)
        while True:
            code, status = self.attempt(task)
            if not code:
                return
            restore_counts(self.emulation, before)
            board = self.emulation.board
            self.enlarge(code, status)
            if keeps_stores:
                self.emulation = replace(self.emulation, board=board)

    def attempt(self, task: Task) -> tuple[int, Integers]:
        """Run a kernel on all parts of the board; the first code that is not 0, with its place."""
        parts, e = self.parts, self.emulation
        status = [np.zeros(3, dtype=np.int64) for _ in parts]
        numbers = [(k, k + 1) for k in range(len(parts))]
        codes = run(lambda k, _: int(task(parts[k], e, status[k])), numbers, len(parts))
        return next(
            ((code, place) for code, place in zip(codes, status, strict=True) if code), (0, status[0])
        )


def copy_counts(emulation: Emulation) -> list[np.ndarray]:
    """Return copies of all counts."""
    return [getattr(emulation.board, name).copy() for name in COUNTS]


def restore_counts(emulation: Emulation, before: list[np.ndarray]) -> None:
    """Put counts back to what they were before a run that is to be repeated."""
    for name, old in zip(COUNTS, before, strict=True):
        getattr(emulation.board, name)[:] = old


def check_cells(program: Program) -> None:
    """Raise BackendError for cells that the programs cannot start with."""
    start, threshold = program.parameters["v_init"], program.parameters["threshold"]
    faults = []
    for population in program.populations:
        span, path = slice(population.start, population.stop), f"{population.path}.neuron"
        if population.kind != "source" and np.any(start[span] >= threshold[span]):
            message = "every neuron must start below its threshold; lower the initial voltage"
            faults.append(Diagnostic(message, path, "S2-MODEL"))
        if len(population.receptors) > 1:
            message = (
                "the programs have one synaptic current; give both receptors one time constant, so that they "
                "merge"
            )
            faults.append(Diagnostic(message, path, "S2-MODEL"))
    if faults:
        raise BackendError(faults)

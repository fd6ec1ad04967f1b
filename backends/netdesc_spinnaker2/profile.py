"""The numbers of the machine, each with unit, source and tag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from netdesc.errors import DescriptionError
from netdesc.limits import Limit
from netdesc.options import Numbers, Section, replaced
from netdesc.units import parse

# Limit is frozen, so that one instance can be the default of every profile.
# ruff: noqa: RUF009

SECTION = Section("backends.spinnaker2", "S2-OPTION")
"""Where the options of this backend stand."""

_SURVEY = "survey of the chip paper"
_TOOLS = "code of the published toolchains"
_OURS = "estimate"


@dataclass(frozen=True, slots=True)
class Profile:
    """Numbers of SpiNNaker2. Every field is a Limit and can be set under ``backends.spinnaker2.profile``.

    Memory is in bytes, time in ns, s or ms as its unit says, power in mW, energy in nJ.
    """

    pes_per_chip: Limit = Limit(152, "", _SURVEY, "R")
    pes_usable: Limit = Limit(148, "", _TOOLS, "V")
    chips: Limit = Limit(48, "", _TOOLS, "V")
    board_width: Limit = Limit(8, "", "48 chips laid out as an 8 x 6 mesh with six links each, no wrap", "A")
    sram: Limit = Limit(128 * 1024, "B", _SURVEY, "R")
    sram_program: Limit = Limit(32 * 1024, "B", _SURVEY, "R")
    sram_stack: Limit = Limit(4 * 1024, "B", _SURVEY, "R")
    dram: Limit = Limit(2**30, "B", _TOOLS, "V")
    accelerator_low: Limit = Limit(7, "cycles", _SURVEY, "R")
    accelerator_high: Limit = Limit(22, "cycles", _SURVEY, "R")
    clock_low: Limit = Limit(150e6, "Hz", _SURVEY, "R")
    clock_high: Limit = Limit(300e6, "Hz", _SURVEY, "R")
    voltage_low: Limit = Limit(0.5, "V", _SURVEY, "R")
    voltage_high: Limit = Limit(0.8, "V", _SURVEY, "R")
    key_bits: Limit = Limit(32, "bit", _SURVEY, "R")
    payload: Limit = Limit(128, "bit", _SURVEY, "R")
    table_entries: Limit = Limit(16384, "", _TOOLS, "V")
    links: Limit = Limit(6, "", _TOOLS, "V")
    hop_time: Limit = Limit(16.7, "ns", "clock of the network on chip", "D")
    router_time: Limit = Limit(10.0, "ns", "clock of the router", "D")
    tick: Limit = Limit(1.0, "ms", _SURVEY, "R")
    weight_four_bit: Limit = Limit(15, "", _TOOLS, "V")
    weight_seven_bit: Limit = Limit(127, "", _TOOLS, "V")
    delay_four_bit: Limit = Limit(8, "ticks", _TOOLS, "V")
    delay_seven_bit: Limit = Limit(1, "ticks", _TOOLS, "V")
    delay_float: Limit = Limit(255, "ticks", "one byte per delay", "D")
    neurons_per_slice: Limit = Limit(256, "", "8-bit index of the neuron in a synapse word", "D")
    synaptic_currents: Limit = Limit(1, "", "16 bytes of state: v, i and their adjoints", "D")
    synapse_cycles_best: Limit = Limit(25, "cycles", _SURVEY, "R")
    synapse_cycles: Limit = Limit(50, "cycles", "twice the best case", "A")
    neuron_cycles: Limit = Limit(80, "cycles", _OURS, "A")
    packet_cycles: Limit = Limit(30, "cycles", "to receive or send a packet", "A")
    update_cycles: Limit = Limit(60, "cycles", "one optimizer step of one weight", "A")
    fifo_depth: Limit = Limit(2048, "packets", _OURS, "A")
    expected_rate: Limit = Limit(0.05, "1/ms", "rate of a neuron for which none is given", "A")
    chip_power: Limit = Limit(75.2, "mW", _SURVEY, "R")
    sleep_power_low: Limit = Limit(1.05, "mW", _SURVEY, "R")
    sleep_power_high: Limit = Limit(3.22, "mW", _SURVEY, "R")
    busy_power_low: Limit = Limit(1.245, "mW", "added to a sleeping PE", "D")
    busy_power_high: Limit = Limit(4.495, "mW", "added to a sleeping PE", "D")
    packet_energy: Limit = Limit(1.0, "nJ", "SpiNNaker1, a proxy", "V")
    dram_energy: Limit = Limit(0.2, "nJ/B", "order of magnitude of low-power DRAM", "A")
    clock_threshold: Limit = Limit(1.0, "", "fraction of a tick that the low clock may fill", "A")

    @classmethod
    def read(cls, overrides: Mapping[str, Any]) -> Profile:
        """Return the profile with numbers of a file, which are assumptions, in place of its own.

        A number is in the unit of its field, a text such as ``2 ms`` in the unit that it names.

        Raises
        ------
        BackendError
            With every name that is not known and every value that is not a number above or equal to 0.
        """
        profile = cls()
        numbers = NUMBERS.read(SECTION, "profile", overrides)
        return replace(profile, **replaced(SECTION, "profile", profile.numbers(), numbers))

    @property
    def data_sram(self) -> Limit:
        """Bytes of SRAM of a PE for data."""
        value = self.sram.value - self.sram_program.value - self.sram_stack.value
        tags = {self.sram.tag, self.sram_program.tag, self.sram_stack.tag}
        return Limit(
            value,
            "B",
            f"SRAM less program and stack; {self.sram.source}",
            "A" if "A" in tags else self.sram.tag,
        )

    def numbers(self) -> dict[str, Limit]:
        """Return all numbers by name."""
        return {name: getattr(self, name) for name in NAMES}


NAMES = tuple(item.name for item in fields(Profile))
"""Names of all numbers, in order."""


def _measure(text: str, unit: str) -> float | None:
    try:
        quantity = parse(text, unit)
    except DescriptionError:
        return None
    return quantity.value if quantity.unit == unit else None


_WORDS = {"pes": "PEs", "sram": "SRAM", "dram": "DRAM", "fifo": "FIFO"}
NUMBERS = Numbers(lambda: Profile().numbers(), _measure, _WORDS)
"""How a file sets numbers of the machine."""

"""One small file per thing that limits can name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

FILE = """
netdesc: 1
name: probe
simulation: {{duration: 20 ms}}
populations:
  input: {{size: 2, source: {source}}}
  output: {{size: 2, neuron: {neuron}}}
projections:
  drive: {{pre: input, post: output, weight: {weight}, delay: 1 ms{receptor}}}
{rest}
"""

PLAIN = {
    "source": "{spike_times: {times: [[1 ms], [2 ms]]}}",
    "neuron": "LIF",
    "weight": "1.0",
    "rest": "",
    "receptor": "",
}

GOAL = "losses: {{goal: {{{kind}: {{population: output, target: {target}}}}}}}"

FIRST_SPIKES = ("time_to_first_spike", "relative_spike_time_mse")
"""Losses of the first spikes whose target is a class."""

VOLTAGES = ("max_voltage", "mean_voltage", "per_time_cross_entropy")
"""Losses of the voltages of a read-out."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A file that needs one thing.

    Parameters
    ----------
    field : str
        Of ``netdesc.limits.Limits``.
    key : str
        What that field holds if a device can do it.
    text : str
        YAML.
    """

    field: str
    key: str
    text: str


def make(field: str, key: str, **changes: str) -> Probe:
    """Make a probe from the plain file, with changes of its parts."""
    return Probe(field, key, FILE.format(**{**PLAIN, **changes}))


def make_probes() -> Mapping[str, Probe]:
    """Return all probes, by ``field.key``."""
    excitatory = {"receptor": ", receptor: excitatory"}
    probes = [
        make("models", "LI", neuron="LI"),
        make("models", "IF_curr_exp", neuron="IF_curr_exp", weight="1 nA", **excitatory),
        make("models", "IF_curr_alpha", neuron="IF_curr_alpha", weight="1 nA", **excitatory),
        make("models", "IF_cond_exp", neuron="IF_cond_exp", weight="4 nS", **excitatory),
        make("models", "IF_cond_alpha", neuron="IF_cond_alpha", weight="4 nS", **excitatory),
        make(
            "models", "EIF_cond_exp_isfa_ista", neuron="EIF_cond_exp_isfa_ista", weight="4 nS", **excitatory
        ),
        make("models", "Izhikevich", neuron="Izhikevich", weight="5 mV"),
        make("models", "poisson", source="{poisson: {rate: 100 Hz}}"),
        make("trainable", "weight", weight="{init: 1.0, train: true}"),
        make("trainable", "tau_mem", neuron="{LIF: {tau_mem: {init: 20 ms, train: true}}}"),
        make("trainable", "tau_syn", neuron="{LIF: {tau_syn: {init: 5 ms, train: true}}}"),
        make("trainable", "v_threshold", neuron="{LIF: {v_threshold: {init: 1.0, train: true}}}"),
        *(
            make("recordings", variable, rest=f"record: {{output: [{{{variable}: {{every: 1 ms}}}}]}}")
            for variable in ("v", "i", "lam_v", "lam_i")
        ),
        *(make("losses", kind, rest=GOAL.format(kind=kind, target=0)) for kind in FIRST_SPIKES),
        make("losses", "spike_time_mse", rest=GOAL.format(kind="spike_time_mse", target="[5 ms, 6 ms]")),
        *(make("losses", kind, neuron="LI", rest=GOAL.format(kind=kind, target=0)) for kind in VOLTAGES),
        make("losses", "firing_rate", rest=GOAL.format(kind="firing_rate", target=2)),
    ]
    return MappingProxyType({f"{item.field}.{item.key}": item for item in probes})


PROBES: Mapping[str, Probe] = make_probes()
"""All probes by name."""

"""What the loss and optimizer programs can learn."""

from __future__ import annotations

from collections.abc import Iterator

from netdesc.backend import LearningRule
from netdesc.errors import BackendError, Diagnostic
from netdesc.program import Program
from netdesc_spinnaker2.options import Options

DEFAULTS = {
    "adam": {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
    "adamw": {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01},
    "sgd": {"learning_rate": 1e-3, "momentum": 0.0},
}
"""Numbers of the optimizers where a rule leaves them out."""

LOSS_DEFAULTS = {"tau_0": 0.5, "tau_1": 6.4, "alpha": 0.003, "pull": 0.0}


def check_rule(rule: LearningRule, program: Program, options: Options) -> None:
    """Raise BackendError with everything that the chip cannot do of a rule."""
    faults = list(_faults(rule, program, options))
    if faults:
        raise BackendError(faults)


def _faults(rule: LearningRule, program: Program, options: Options) -> Iterator[Diagnostic]:
    if len(rule.objectives) != 1:
        message = "the chip computes one loss; leave one, or train with on_device: false"
        yield Diagnostic(message, "losses", "S2-LOSS")
    for item in rule.objectives:
        if item.kind != "time_to_first_spike":
            message = f"the loss program has no {item.kind}; use time_to_first_spike, or on_device: false"
            yield Diagnostic(message, "losses", "S2-LOSS")
    name, path = rule.optimizer, "training.optimizer"
    if name not in DEFAULTS:
        message = f"the optimizer program has no {name}; use one of {', '.join(DEFAULTS)}"
        yield Diagnostic(message, path, "S2-TRAIN")
    elif name != "sgd" and options.optimizer == "sgd":
        message = f"the placement has no memory for the moments of {name}; set "
        yield Diagnostic(f"{message}backends.spinnaker2.optimizer: {name}", path, "S2-SRAM")
    elif options.optimizer == "sgd" and float(rule.options.get("momentum", 0.0)) != 0.0:
        message = "the placement has no memory for a velocity; set backends.spinnaker2.optimizer: adam"
        yield Diagnostic(message, f"{path}.sgd.momentum", "S2-SRAM")
    trained = [block for block in program.blocks if block.train_weight]
    if not trained:
        yield Diagnostic("no weight is trained; set train: true for a weight", "projections")
    for block in trained:
        if block.weight_of is not None:
            message = (
                "the optimizer program has a weight of its own for every synapse; train shared weights with "
                "on_device: false"
            )
            yield Diagnostic(message, f"{block.path}.weight", "S2-TRAIN")

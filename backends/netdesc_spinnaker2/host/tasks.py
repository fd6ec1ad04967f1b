"""What the loss and optimizer programs can learn."""

from __future__ import annotations

from netdesc.backend import Lesson
from netdesc.errors import BackendError, Diagnostic
from netdesc.program import Program
from netdesc_spinnaker2.options import Options

DEFAULTS = {
    "adam": {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
    "adamw": {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01},
    "sgd": {"learning_rate": 1e-3, "momentum": 0.0},
}
"""Numbers of the optimizers where a lesson leaves them out."""

LOSS_DEFAULTS = {"tau_0": 0.5, "tau_1": 6.4, "alpha": 0.003, "pull": 0.0}


def check_lesson(lesson: Lesson, program: Program, options: Options) -> None:
    """Raise BackendError with everything that the chip cannot do of a lesson."""
    faults = []
    if len(lesson.objectives) != 1:
        faults.append(
            Diagnostic(
                "the chip computes one loss; leave one, or train with on_device: false", "losses", "S2-LOSS"
            )
        )
    for item in lesson.objectives:
        if item.kind != "time_to_first_spike":
            faults.append(
                Diagnostic(
                    f"the loss program has no {item.kind}; use time_to_first_spike, or on_device: false",
                    "losses",
                    "S2-LOSS",
                )
            )
    if lesson.optimizer not in DEFAULTS:
        faults.append(
            Diagnostic(
                f"the optimizer program has no {lesson.optimizer}; use one of {', '.join(DEFAULTS)}",
                "training.optimizer",
                "S2-TRAIN",
            )
        )
    elif lesson.optimizer != "sgd" and options.optimizer == "sgd":
        faults.append(
            Diagnostic(
                f"the placement has no memory for the moments of {lesson.optimizer}; set "
                f"backends.spinnaker2.optimizer: {lesson.optimizer}",
                "training.optimizer",
                "S2-SRAM",
            )
        )
    elif options.optimizer == "sgd" and float(lesson.options.get("momentum", 0.0)) != 0.0:
        faults.append(
            Diagnostic(
                "the placement has no memory for a velocity; set backends.spinnaker2.optimizer: adam",
                "training.optimizer.sgd.momentum",
                "S2-SRAM",
            )
        )
    if not any(block.train_weight for block in program.blocks):
        faults.append(Diagnostic("no weight is trained; set train: true for a weight", "projections"))
    faults += [
        Diagnostic(
            "the optimizer program has a weight of its own for every synapse; train shared weights with "
            "on_device: false",
            f"{block.path}.weight",
            "S2-TRAIN",
        )
        for block in program.blocks
        if block.train_weight and block.weight_of is not None
    ]
    if faults:
        raise BackendError(faults)

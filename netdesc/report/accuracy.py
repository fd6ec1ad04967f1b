"""Accuracy on the test samples: a paired test of its differences, and confusion matrices."""

from __future__ import annotations

from html import escape

from netdesc.report.tables import Number, Page, Row, breakable, numbers

CLASSES = 25
"""Confusion matrices of more classes are left out; the JSON data have them."""


def accuracy(page: Page) -> str:
    """Return the paired test against the reference, and a confusion matrix per substrate."""
    data = page.data
    known = [label for label, item in data["overview"].items() if item["accuracy"] is not None]
    if not known:
        return "<p>The model has no labels, so it has no accuracy.</p>"
    rows: list[Row] = [
        (
            label,
            Number(("overview", label, "accuracy"), ".1%"),
            *numbers("overview", label, "accuracy_test", samples="d", only_reference="d", only_other="d"),
            *numbers("overview", label, "accuracy_test", discordant="d", p_value=".2g"),
        )
        for label in known
    ]
    test = page.table(
        f"Accuracy, and McNemar's exact test against {data['reference']} on the same samples: two-sided "
        "p-value of the discordant samples, those that only one of the two classifies correctly",
        (
            "substrate",
            "accuracy",
            "samples",
            f"only {data['reference']} correct",
            "only substrate correct",
            "n discordant",
            "p",
        ),
        rows,
    )
    matrices = "".join(_matrix(page, label) for label in known)
    return f'{test}<div class="matrices">{matrices}</div>'


def _matrix(page: Page, label: str) -> str:
    """Return a confusion matrix as a table, darker where there are more samples of the label."""
    counts = page.at(("substrates", label, "confusion"))
    if counts is None:
        return ""
    if len(counts) > CLASSES:
        return f"<p>{escape(label)}: confusion matrix of {len(counts)} classes left out.</p>"
    silent = any(row[-1] for row in counts)
    columns = [str(k) for k in range(len(counts))] + ["none"] * silent
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    lines = "".join(
        f'<tr><th scope="row">{k}</th>'
        + "".join(
            f'<td class="number share" style="--share:{100 * row[j] / max(sum(row), 1):.0f}%">'
            f"{page.number(Number(('substrates', label, 'confusion', k, j), 'd'))}</td>"
            for j in range(len(columns))
        )
        + "</tr>"
        for k, row in enumerate(counts)
    )
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="Confusion matrix of {escape(label)}">'
        f'<table class="confusion"><caption>{breakable(label)}: rows labels, columns predictions</caption>'
        f'<thead><tr><th scope="col">label</th>{head}</tr></thead><tbody>{lines}</tbody></table></div>'
    )

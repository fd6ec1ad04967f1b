"""``netdesc schema``: the schema of the language."""

from __future__ import annotations

import json

from netdesc.cli.arguments import AsJson
from netdesc.cli.output import emit, show


def schema(as_json: AsJson = False) -> None:
    """Print the JSON Schema, with the options of all backends."""
    from netdesc.border.schema import complete_schema

    if as_json:
        emit(complete_schema())
    else:
        show(json.dumps(complete_schema(), indent=1, ensure_ascii=False))

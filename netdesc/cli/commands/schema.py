"""``netdesc schema``: the schema of the language."""

from __future__ import annotations

import json

from netdesc.cli.arguments import AsJson
from netdesc.cli.output import emit
from netdesc.cli.output import show as print_text


def schema(as_json: AsJson = False) -> None:
    """Print the JSON Schema of the language."""
    from netdesc.description import schema as read_schema

    if as_json:
        emit(read_schema())
    else:
        print_text(json.dumps(read_schema(), indent=2, ensure_ascii=False))

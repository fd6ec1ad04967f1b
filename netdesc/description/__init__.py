"""The language: YAML text or a mapping to frozen records, with every fault reported at once."""

from netdesc.description.load import describe, describe_mapping, describe_text
from netdesc.description.model import Description
from netdesc.description.reading.written import dump
from netdesc.description.schema.document import schema

__all__ = ["Description", "describe", "describe_mapping", "describe_text", "dump", "schema"]

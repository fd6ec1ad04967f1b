"""Options of a backend, declared once: reading, the schema and every table come from the declaration."""

from netdesc.options.declaration import Option, Section, declared, option, replaced, section_part
from netdesc.options.forms import Count, Flag, Kinds, Numbers, Positive, Sequences, Table, Word, number_of

__all__ = [
    "Count",
    "Flag",
    "Kinds",
    "Numbers",
    "Option",
    "Positive",
    "Section",
    "Sequences",
    "Table",
    "Word",
    "declared",
    "number_of",
    "option",
    "replaced",
    "section_part",
]

"""Text of strangers made safe: on a terminal, in a spreadsheet, as the name of a folder."""

from __future__ import annotations

import re
from hashlib import sha256

# C0 and C1 controls except the line break, the marks that reorder text, and halves of surrogate pairs.
_CONTROL = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

LONGEST_NAME = 80
"""Bytes of a name made by `safe_name`, at most; enough room is left for endings."""


def visible(text: str, *, one_line: bool = False) -> str:
    """Return a text whose control characters are written out, so that a terminal does not obey them.

    Line breaks are written out only where there is to be one line.
    """
    safe = _CONTROL.sub(lambda found: _written(found.group()), text)
    return safe.replace("\n", "\\n") if one_line else safe


def visible_json(text: str) -> str:
    """Return valid JSON of the same value whose control characters are escaped as JSON escapes them."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def neutral_cell(value: object) -> object:
    """Return a cell of a table that no spreadsheet takes for a formula.

    A text that would be read as one is preceded by an apostrophe; numbers stay as they are.
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def safe_name(text: str) -> str:
    """Return a text as the name of one file or folder, which is within the folder it is put into.

    Returns
    -------
    str
        Letters, digits, spaces and ``-_.``; a text with anything else, with a dot or space at an end, or
        that is too long is changed and ends with a digest, so that different texts have different names.
    """
    kept = "".join(letter if letter.isalnum() or letter in " -_." else "_" for letter in text)
    if text and kept.strip(" .") == text and len(text.encode()) <= LONGEST_NAME:
        return text
    digest = f"-{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    short = kept.encode()[: LONGEST_NAME - len(digest)].decode(errors="ignore").strip(" ._")
    return f"{short or 'unnamed'}{digest}"


def _written(character: str) -> str:
    number = ord(character)
    if character in "\t\r":
        return {"\t": "\\t", "\r": "\\r"}[character]
    # A byte of a file name that is not UTF-8 is kept by Python as one of these.
    if 0xDC80 <= number <= 0xDCFF:
        return f"\\x{number - 0xDC00:02x}"
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"

"""The page of examples: every file as it is."""

from __future__ import annotations

from pathlib import Path


def write_gallery(folder: Path) -> str:
    """Return the page of all examples as Markdown.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    str
    """
    parts = [
        "# Examples\n\nEach example is one file, and its own test: `netdesc test FILE` checks what it "
        "expects. `netdesc new NAME` writes one to start from."
    ]
    for path in sorted(folder.glob("*.yaml")):
        text = path.read_text(encoding="utf-8").rstrip()
        title = path.stem.replace("_", "-")
        parts.append(f"## {title}\n\n```yaml\n{text}\n```")
    return "\n\n".join(parts) + "\n"

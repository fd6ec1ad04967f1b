"""Hooks of MkDocs: pages that are made from the code, and links out of the folder of pages."""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

from capabilities import write_capabilities  # noqa: E402
from gallery import write_gallery  # noqa: E402
from reference import write_reference  # noqa: E402

from netdesc.registry import names  # noqa: E402

LINK = re.compile(r"(\]\()([^)#\s]+)([^)]*\))")
FETCHED = re.compile(r'<script src="https?://[^"]*"></script>')
SOURCE = "source"
"""Folder of the site that holds files from outside of the pages."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put every page of measurements into the menu, by its own title."""
    found = sorted((ROOT / "docs" / "benchmarks").glob("*.md"))
    measured = [f"benchmarks/{path.name}" for path in found]
    for entry in config.nav or ():
        if "Measured" in entry:
            entry["Measured"] = measured
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add home, changelog, reference and examples, and the files outside that pages link to."""
    made = {
        "index.md": home((ROOT / "README.md").read_text(encoding="utf-8")),
        "changelog.md": home((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")),
        "reference.md": write_reference(),
        "examples.md": write_gallery(ROOT / "examples"),
    }
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    texts = {item.src_uri: item.content_string for item in files if item.is_documentation_page()}
    for target in sorted({out for uri, text in texts.items() for out in outside(uri, text)}):
        files.append(File.generated(config, f"{SOURCE}/{target}", abs_src_path=str(ROOT / target)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links out of the folder into links into the site; give backends their table."""
    uri = page.file.src_uri
    name = uri.removesuffix("_backend.md")
    text = f"{markdown.rstrip()}\n\n{write_capabilities(name)}" if name in names() else markdown
    up = "../" * uri.count("/")

    def moved(match: re.Match[str]) -> str:
        target = leaving(uri, match[2])
        return f"{match[1]}{up}{SOURCE}/{target}{match[3]}" if target else match[0]

    return LINK.sub(moved, text)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Take the script of the theme that would be fetched from elsewhere out; the site brings its own."""
    own = posixpath.relpath("assets/worker.js", posixpath.dirname(page.file.dest_uri) or ".")
    return FETCHED.sub(f'<script src="{own}"></script>', output)


def on_post_template(output_content: str, template_name: str, config: MkDocsConfig) -> str:
    """Do the same in pages without Markdown, which name everything from the root."""
    return FETCHED.sub('<script src="/assets/worker.js"></script>', output_content)


def home(readme: str) -> str:
    """Return a page that stands at the root, such as the README: its links begin one folder higher."""

    def moved(match: re.Match[str]) -> str:
        target = match[2]
        if "://" in target:
            return match[0]
        if target == "CHANGELOG.md":
            return f"{match[1]}changelog.md{match[3]}"
        inside = target.startswith("docs/")
        return f"{match[1]}{target.removeprefix('docs/') if inside else f'../{target}'}{match[3]}"

    return LINK.sub(moved, readme)


def outside(uri: str, text: str) -> set[str]:
    """Return the files outside of the folder of pages that a page links to, from the root."""
    return {target for match in LINK.finditer(text) if (target := leaving(uri, match[2]))}


def leaving(uri: str, link: str) -> str | None:
    """Return where a link leads, from the root, if it is a file outside of the folder of pages."""
    if "://" in link or link.startswith("/"):
        return None
    parts: list[str] = ["docs", *PurePosixPath(uri).parent.parts]
    for part in PurePosixPath(link).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part != ".":
            parts.append(part)
    target = "/".join(parts)
    found = ROOT / target
    if target.startswith("docs/"):
        return None
    if found.is_dir():
        pages = (f"{target}/{name}" for name in ("README.md", "backend.py"))
        target = next((page for page in pages if (ROOT / page).is_file()), "")
    return target if target and (ROOT / target).is_file() else None

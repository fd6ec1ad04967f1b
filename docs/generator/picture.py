"""The picture of a report on the first page: ``python docs/generator/picture.py REPORT.html``.

Needs chromium and playwright; writes ``docs/assets/report.png``, the first screen in light colours.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).resolve().parents[1] / "assets" / "report.png"
WIDTH, HEIGHT = 1280, 800


def take(report: Path, picture: Path = PICTURE) -> None:
    """Take the picture of a report.

    Parameters
    ----------
    report : Path
        HTML file that ``netdesc compare -o`` wrote.
    picture : Path
        PNG file.
    """
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        raise SystemExit("chromium is not installed")
    with sync_playwright() as player:
        started = player.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = started.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        page.wait_for_selector("html[data-drawn=yes]")
        page.screenshot(path=picture)
        started.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]))

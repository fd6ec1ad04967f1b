"""The built pages: complete, true to the code, without dead links, and readable without a network."""

import html
import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

import netdesc
from netdesc.cli import main
from netdesc.description.schema.document import schema
from netdesc.registry import names

for package in ("mkdocs", "mkdocstrings"):
    pytest.importorskip(package, reason=f"the pages need {package}: pip install '.[docs]'")

ROOT = Path(__file__).parents[1]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
LOADED = re.compile(r'<(?:script|img|iframe)[^>]*src="([^"]+)"|<link[^>]*"stylesheet"[^>]*href="([^"]+)"')
PALETTE = {"light": "default", "dark": "slate"}
SHOWN = [
    "index.html",
    "reference.html",
    "api.html",
    "brainscales2_backend.html",
    "how_to/silent_neurons.html",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def pages(site):
    return [path for path in sorted(site.rglob("*.html")) if path.name != "404.html"]


def text_of(page):
    """Return the words of a page, without tags and with one space between words."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8"))).split())


@pytest.mark.parametrize("name", names())
def test_the_capabilities_of_a_backend_are_those_that_the_command_prints(site, name, capsys):
    page = (site / f"{name}_backend.html").read_text(encoding="utf-8")
    options, _, capabilities = page.partition('id="table-of-options"')[2].partition('id="capabilities"')
    assert main(["backends"]) == 0
    printed = tables(capsys.readouterr().out)[name]
    head = printed.index("option default") if "option default" in printed else len(printed)
    assert rows_of(capabilities) == printed[:head]
    assert rows_of(options) == printed[head + 1 :]


def rows_of(page):
    """Return the rows of a table as text, without its head."""
    cells = re.findall(r"<tr>((?:\s*<td>.*?</td>)+)\s*</tr>", page, re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", "", row)).split()) for row in cells]


def tables(printed):
    """Return the lines of each table by the backend's name, which stands alone on the line above."""
    found, current = {}, None
    for line in filter(str.strip, printed.splitlines()):
        if line.strip() in names():
            current = line.strip()
        else:
            found.setdefault(current, []).append(" ".join(line.split()))
    return found


def described(part):
    """Yield every key of the schema with its description."""
    for key, inner in part.get("properties", {}).items():
        yield key, inner.get("description", "")
        yield from described(inner)
    for inner in (part.get("additionalProperties"), part.get("items")):
        if isinstance(inner, dict):
            yield from described(inner)


def test_the_reference_has_every_key_with_its_description(site):
    shown = text_of(site / "reference.html").replace(" ", "")
    wanted = list(described(schema()))
    for part in schema()["definitions"].values():
        wanted += described(part)
    plain = {(key, re.sub(r"\s*\([^()]*\)$", "", text).replace(" ", "")) for key, text in wanted}
    assert len(plain) > 300
    assert [key for key, text in plain if key not in shown or text not in shown] == []


def test_every_public_name_is_on_the_page_of_the_api_with_its_docstring(site):
    page = site / "api.html"
    text, shown = page.read_text(encoding="utf-8"), text_of(page)
    names = set(netdesc.__all__)
    assert len(names) > 20
    assert [name for name in names if f'id="netdesc.{name}"' not in text] == []
    documented = [name for name in names if (getattr(netdesc, name).__doc__ or "") and name[0] != "_"]
    words = {name: inspect.getdoc(getattr(netdesc, name)).splitlines()[0] for name in documented}
    assert [name for name, line in words.items() if plain(line) not in plain(shown)] == []


def plain(text):
    """Return only the letters and digits of a text, for what Markdown does to the rest."""
    return re.sub(r"\W", "", text)


def test_no_link_is_dead(site):
    dead = []
    for page in pages(site):
        for link in re.findall(r'(?:href|src)="([^"]+)"', page.read_text(encoding="utf-8")):
            path, _, anchor = html.unescape(link).partition("#")
            if "://" in path or path.startswith(("mailto:", "data:")):
                continue
            target = (page.parent / unquote(path)).resolve() if path else page
            if target.is_dir():
                target = target / "index.html"
            if not target.is_file() or not has_anchor(target, unquote(anchor)):
                dead.append(f"{page.name}: {link}")
    assert dead == []


def has_anchor(page, anchor):
    if not anchor or page.suffix != ".html":
        return True
    return re.search(rf'(?:id|name)="?{re.escape(anchor)}["\s>]', page.read_text(encoding="utf-8"))


def test_every_page_is_a_page_of_the_menu(site):
    home = (site / "index.html").read_text(encoding="utf-8")
    missing = [path.relative_to(site).as_posix() for path in pages(site) if "source" not in path.parts]
    assert [path for path in missing if f'"{path}"' not in home and path != "index.html"] == []


def test_no_page_names_a_script_or_style_from_elsewhere(site):
    found = [
        link for page in site.rglob("*.html") for link in LOADED.findall(page.read_text(encoding="utf-8"))
    ]
    assert len(found) > 20
    assert [link for link in found if "//" in "".join(link)] == []


@pytest.mark.skipif(BROWSER is None, reason="no chromium; tests/report/install_browser.sh installs it")
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")], ids=["desktop", "phone"])
def test_pages_open_from_disk_fit_the_screen_and_can_be_searched(site, width, scheme):
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        said, asked, wide = [], [], []
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda sent: asked.append(sent.url))
        for name in SHOWN:
            page.goto((site / name).as_uri())
            assert page.evaluate("document.body.dataset.mdColorScheme") == PALETTE[scheme]
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wide.append(name)
        page.keyboard.press("/")
        page.keyboard.type("refractory")
        page.wait_for_selector(".md-search-result__item", state="attached")
        browser.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert wide == []

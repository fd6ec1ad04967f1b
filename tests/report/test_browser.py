"""The report in a browser: nothing complains, nothing is fetched, everything can be clicked."""

import shutil
from pathlib import Path

import pytest

from netdesc.report import write

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no chromium; tests/report/install_browser.sh installs it"
)


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as player:
        started = player.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write(data, path)
    return path


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["desktop", "phone"])
def view(request, browser, report):
    width, scheme = request.param
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda sent: asked.append(sent.url))
    page.goto(Path(report).as_uri())
    page.wait_for_selector("html[data-drawn=yes]")
    yield page
    page.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_the_first_screen_names_every_substrate(view, data):
    for label in data["overview"]:
        box = view.locator(".tile h3", has_text=label).first.bounding_box()
        assert 0 < box["y"] < 800, label


def test_a_planted_fault_is_an_alert_on_the_first_screen(view):
    alert = view.locator(".alert")
    assert alert.count() == 1
    assert alert.inner_text().startswith("bad ")
    assert "may be a fault" in alert.inner_text()
    assert "First deviating spike: hidden" in alert.inner_text()
    box = alert.bounding_box()
    assert box["y"] > 0
    assert box["y"] + box["height"] < 800


def test_the_page_is_as_wide_as_the_window(view):
    assert view.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_charts_stay_within_their_place(view):
    assert view.evaluate("""Array.from(document.querySelectorAll('.chart')).every(place => {
        const drawn = place.querySelector('.main-svg').getBoundingClientRect();
        const room = place.getBoundingClientRect();
        return drawn.width > 100 && drawn.height <= room.height + 1 && drawn.width <= room.width + 1; })""")


def test_a_population_can_be_chosen_by_keyboard(view, data):
    def neurons():
        return view.evaluate("document.getElementById('raster-0').data[0].x.length")

    assert neurons() == len(data["rasters"]["numba"]["hidden"]["times"])
    view.focus("#population")
    view.keyboard.press("ArrowDown")
    view.wait_for_function("document.getElementById('population').value === 'output'")
    assert neurons() == len(data["rasters"]["numba"]["output"]["times"])


def test_every_link_leads_to_its_section(view):
    for link in view.locator("nav a").all():
        link.click()
        target = link.get_attribute("href")
        view.wait_for_function(
            "name => Math.abs(document.querySelector(name).getBoundingClientRect().top) < window.innerHeight",
            arg=target,
        )


def test_details_open_and_a_change_of_colours_is_followed(view):
    for item in view.locator("summary").all():
        item.click()
    assert view.evaluate("Array.from(document.querySelectorAll('details')).every(item => item.open)")
    before = view.evaluate("document.getElementById('raster-0').layout.font.color")
    now = "light" if view.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "dark"
    view.emulate_media(color_scheme=now)
    view.wait_for_function(
        "before => document.getElementById('raster-0').layout.font.color !== before", arg=before
    )


def test_text_contrasts_with_its_background(view):
    ratio = view.evaluate("""() => {
        const light = text => { const part = text.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2]; };
        const ground = light(getComputedStyle(document.body).backgroundColor);
        const items = Array.from(document.querySelectorAll('p, td, th, li, a, caption, .level'));
        return Math.min(...items.map(item => {
            const text = light(getComputedStyle(item).color);
            return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05); })); }""")
    assert ratio >= 4.5


def test_it_prints_without_its_controls(view):
    view.emulate_media(media="print")
    assert not view.locator(".controls").is_visible()
    assert view.locator("#verdict table").first.is_visible()


def test_the_mode_bar_covers_no_legend(view):
    covered = view.evaluate("""Array.from(document.querySelectorAll('.chart')).filter(place => {
        const bar = place.querySelector('.modebar-group'), legend = place.querySelector('.legend');
        if (!bar || !legend) { return false; }
        const one = bar.getBoundingClientRect(), two = legend.getBoundingClientRect();
        return one.left < two.right && two.left < one.right && one.top < two.bottom && two.top < one.bottom;
        }).map(place => place.id)""")
    assert covered == []


def test_the_raster_matches_spikes_as_the_tables_do(view, data):
    found = view.evaluate("""() => {
        const place = document.getElementById('raster-1');
        return place.data.map(item => item.x.length); }""")
    part = data["agreements"]["grid"]["spikes"]["hidden"]["by_sample"]
    assert found == [part["matched"][0], part["missing"][0], part["extra"][0]]


def test_a_histogram_has_one_bin_width(view):
    widths = view.evaluate("document.getElementById('deviations').data.map(item => item.width)")
    assert len(widths) > 1
    assert len(set(widths)) == 1


def test_voltages_show_threshold_and_spikes(view, data):
    names = view.evaluate("document.getElementById('voltage-0').data.map(item => item.name || '')")
    assert "threshold" in names
    symbols = view.evaluate(
        "document.getElementById('voltage-0').data.map(item => (item.marker || {}).symbol || '')"
    )
    assert "triangle-down" in symbols


def test_printed_tables_are_not_cut(view):
    view.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    view.emulate_media(media="print")
    view.set_viewport_size({"width": 703, "height": 1000})
    assert view.evaluate("""Array.from(document.querySelectorAll('table, .chart')).every(item =>
        item.getBoundingClientRect().right <= document.body.getBoundingClientRect().right + 1)""")
    view.evaluate("window.dispatchEvent(new Event('afterprint'))")


OVERLAPS = """() => {
    const box = item => item.getBoundingClientRect(), found = [];
    const hit = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
        && a.top < b.bottom - 1 && b.top < a.bottom - 1;
    document.querySelectorAll('.chart').forEach(place => {
        const all = name => Array.from(place.querySelectorAll(name)).map(box).filter(item => item.width > 0);
        const titles = all('.xtitle, .ytitle'), ticks = all('.xtick text, .ytick text');
        const legends = all('.legend'), room = box(place);
        titles.forEach(one => {
            if (one.left < room.left - 1 || one.right > room.right + 1) {
                found.push(place.id + ': title cut'); }
            if ([...ticks, ...legends].some(two => hit(one, two))) {
                found.push(place.id + ': title covered'); } });
        if (ticks.some(one => legends.some(two => hit(one, two)))) {
            found.push(place.id + ': numbers covered'); }
        if (!titles.length && !place.id.startsWith('placement')) { found.push(place.id + ': no title'); } });
    return found; }"""


def test_titles_and_numbers_of_axes_are_whole_and_free(view):
    assert view.evaluate(OVERLAPS) == []


def test_titles_and_numbers_of_axes_are_free_on_paper(view):
    view.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    view.emulate_media(media="print")
    view.set_viewport_size({"width": 703, "height": 1000})
    assert view.evaluate(OVERLAPS) == []
    view.evaluate("window.dispatchEvent(new Event('afterprint'))")


def test_a_square_of_colour_is_on_the_line_of_its_name(view):
    apart = view.evaluate("""Array.from(document.querySelectorAll('th .swatch')).filter(square => {
        const name = document.createRange();
        name.setStart(square.parentNode, 1);
        name.setEndAfter(square.parentNode.lastChild);
        const first = Array.from(name.getClientRects()).find(box => box.width > 1);
        return Math.abs(first.top - square.getBoundingClientRect().top) > 6;
        }).map(square => square.parentNode.textContent)""")
    assert view.locator("th .swatch").count() > 3
    assert apart == []


def test_tiles_begin_below_the_title_on_paper_and_hold_their_numbers(view):
    view.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    view.emulate_media(media="print")
    view.set_viewport_size({"width": 703, "height": 1000})
    assert view.evaluate("""Array.from(document.querySelectorAll('.tile')).every(tile =>
        getComputedStyle(tile).breakInside === 'auto'
        && Array.from(tile.querySelectorAll('dd span')).every(number =>
            number.getBoundingClientRect().right <= tile.getBoundingClientRect().right))""")
    view.evaluate("window.dispatchEvent(new Event('afterprint'))")

import re
from pathlib import Path

from netdesc_brainscales2 import options, profile
from netdesc_brainscales2.costs import compute_costs
from netdesc_brainscales2.mapping import checks
from netdesc_brainscales2.mapping import pipeline as mapping
from netdesc_brainscales2.profile import MACHINES, Profile
from netdesc_brainscales2.readout import observation

PAGE = (Path(__file__).parents[2] / "docs" / "brainscales2_backend.md").read_text(encoding="utf-8")


def rows():
    return re.findall(r"^\| `([a-z_0-9]+)` \| (.*) \|$", PAGE, re.MULTILINE)


def written(limit):
    return f"{limit.value:.10g}{' ' + limit.unit if limit.unit else ''}"


def test_the_page_has_every_number_of_every_profile():
    found = dict(rows())
    profiles = [Profile.read(machine).numbers() for machine in MACHINES]
    for name, limit in profiles[0].items():
        cells = found[name].split(" | ")
        values = [written(numbers[name]) for numbers in profiles]
        assert cells[:-2] in (values, values[:1]), name
        assert len(cells) == 5 or len(set(values)) == 1, name
        assert cells[-2:] == [limit.tag, limit.source], name


def test_the_page_has_every_code():
    told = set()
    for module in (checks, mapping, observation, options, profile):
        told |= set(re.findall(r'"(B2-[A-Z]+)"', Path(module.__file__).read_text(encoding="utf-8")))
    assert told <= set(re.findall(r"B2-[A-Z]+", PAGE))


def test_the_page_has_every_cost():
    costs = compute_costs(
        options.Options(), samples=1, instances=1, duration=1.0, events_in=0.0, events_out=0.0
    )
    assert set(costs) <= set(re.findall(r"`(\w+)`", PAGE))

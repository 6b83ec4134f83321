# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes a report readable: no element wider than a phone, sufficient contrast, and the reading order."""

from __future__ import annotations

import re

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.report.page import render_page
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.report.style import STYLE
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.report.summary import render_summary

from .records import a_gate, a_job, a_project, a_record

PHONE_PIXELS = 390
PIXELS = {"px": 1, "rem": 16}
# colors of text, and of the backgrounds below it
INKS = ("text", "soft", "link", "good", "bad", "busy", "still", "none")
GROUNDS = ("ground", "panel")
# https://www.w3.org/TR/WCAG22/#contrast-minimum
LEAST_CONTRAST = 4.5


def palettes():
    """Return the colors of the three variants of the page: light, dark and print."""
    return [dict(re.findall(r"--(\w+): (#\w+);", block)) for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)]


def luminance(color):
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    shares = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("form", [0, 1, 2])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("ink", INKS)
def test_text_has_enough_contrast(form, ink, ground):
    light, dark = sorted((luminance(palettes()[form][ink]), luminance(palettes()[form][ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= LEAST_CONTRAST


def test_three_palettes_define_the_same_colors():
    assert [sorted(palette) for palette in palettes()] == [sorted((*INKS, *GROUNDS, "line"))] * 3


def test_nothing_is_wider_than_a_phone():
    lengths = re.findall(r"[\s;{](?:min-)?width:\s*([\d.]+)(px|rem)", STYLE)
    assert lengths and all(float(number) * PIXELS[unit] < PHONE_PIXELS / 2 for number, unit in lengths)
    # columns shrink, and long lines wrap
    assert not re.findall(r"grid-template-columns:[^;]*\d(?:px|rem) ", STYLE)
    assert "overflow-wrap: anywhere" in STYLE and "overflow-x" not in STYLE
    assert [rule for rule in re.findall(r"([^{}]+)\{[^{}]*nowrap", STYLE) if ".axis" not in rule] == []
    page = render_page(a_record())
    for wide in ("<table", "<img", "width=1", ' style="width:'):
        assert wide not in page.replace("width=device-width", "")


def test_failure_comes_before_other_parts_of_the_page():
    job = a_job(7, status="failed", log_tail=["no space left"], kind="job")
    gate = a_gate(outcome="failed", reason="it broke", jobs=[job])
    page = render_page(a_record(a_project(gates=[gate], jobs=[job], outcome="failed"), outcome="failed"))
    body = page.partition("<body>")[2]
    order = ["<h1>", 'href="#gate-1-1"', 'id="only-failed"', 'id="gate-1-1"', "it broke", "/-/jobs/7"]
    order += ["no space left", "How to continue", "took 62 s", 'id="timeline"', 'id="pipelines"']
    places = [body.index(words) for words in order]
    assert places == sorted(places)
    assert body.count("no space left") == 1


@pytest.mark.parametrize(
    ("failed", "succeeded", "folded"),
    [(1, 9, None), (1, 10, "10 other jobs"), (2, 300, "300 other jobs"), (0, 11, "11 jobs")],
)
def test_failed_jobs_are_visible_and_many_others_are_folded(failed, succeeded, folded):
    jobs = [a_job(number) for number in range(100, 100 + succeeded)]
    jobs += [a_job(number, status="failed", log_tail=[f"end of {number}"]) for number in range(1, 1 + failed)]
    record = a_record(a_project(gates=[a_gate(outcome="failed" if failed else "passed", jobs=jobs)], jobs=jobs))
    gates = re.search(r'<div class="what">(.*?)<p class="small facts-of-gate">', render_page(record), re.DOTALL)[1]
    at_once, fold, others = gates.partition(f'<details class="quiet"><summary>{folded}</summary>')
    assert bool(fold) == bool(folded) and ("job100" in at_once) == (folded is None)
    assert others.count("<li>") == (succeeded if folded else 0)
    places = [at_once.index(words) for n in range(1, 1 + failed) for words in (f">job{n}<", f"end of {n}")]
    assert places == sorted(places) and (not places or places[-1] < (at_once + others).index("job100"))
    row = next(line for line in render_summary(record).splitlines() if "/-/jobs/" in line or "jobs |" in line)
    assert row.count("](<") - 1 == (failed if folded else failed + succeeded)
    assert (folded or "job100") in row


def test_checkbox_hides_everything_that_did_not_fail():
    good, bad = a_job(1), a_job(2, status="failed")
    gates = [a_gate(), a_gate(name="test", outcome="failed", jobs=[bad])]
    page = render_page(a_record(a_project(gates=gates, jobs=[good, bad]), a_project(name="infra"), outcome="failed"))
    assert ".only:checked ~ main .quiet { display: none; }" in STYLE
    assert re.search(
        r'<input class="only" type="checkbox" id="only-failed"> <label class="only".*?<main>', page, re.DOTALL
    )
    assert 'id="gate-1-1" class="gate good quiet"' in page and 'id="gate-1-2" class="gate bad"' in page
    assert '<section class="project quiet" aria-labelledby="project-2">' in page
    assert page.count('<li class="lane quiet">') == 2 and page.count('<li class="lane">') == 1
    assert 'id="only-failed"' not in render_page(a_record())


def test_axis_shows_days_and_time_zone():
    page = render_page(a_record())
    assert "1 Jan 2026, UTC (clock of the GitLab server)" in page
    night = a_job(started_at="2025-12-31T23:00:00Z", finished_at="2026-01-01T01:00:00Z")
    assert "31 Dec 2025 to 1 Jan 2026, UTC" in render_page(a_record(a_project(jobs=[night])))


def test_pipeline_shows_jobs_by_stage():
    jobs = [a_job(1, stage="build"), a_job(2, stage="test"), a_job(3, stage="test", superseded=True)]
    page = render_page(a_record(a_project(jobs=jobs)))
    stages = re.findall(r'<span class="stage">(\w+)</span><ul role="list">(.*?)</ul>', page)
    assert [(name, re.findall(r">(job\d)<", rows)) for name, rows in stages] == [
        ("build", ["job1"]),
        ("test", ["job2"]),
    ]
    assert '<span class="heard">success</span>' in stages[0][1]


def test_page_shows_environments_and_approvals():
    job = a_job(environment={"name": "production", "url": "https://app.example.com"})
    job["approvals"] = [{"user": "bob", "status": "approved"}]
    page = render_page(a_record(a_project(gates=[a_gate(jobs=[job])])))
    assert 'environment <a href="https://app.example.com" rel="noreferrer">production</a>, approved by bob' in page


def test_page_compares_with_the_previous_run():
    gate, job = a_gate(previous_elapsed=50), a_job(previous_duration=55)
    previous = {"title": "Version 1.1.0", "started_at": "2025-12-01T08:00:00Z", "elapsed": 300, "outcome": "passed"}
    page = render_page(a_record(a_project(gates=[gate], jobs=[job]), previous=previous))
    for words in ("62 s, last time 5 min", "Version 1.1.0, passed", "took 62 s, last time 50 s", "last time 55 s"):
        assert words in page

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of a report: time axis, bars, words, links, and escaping of all foreign HTML."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.report.page import render_page
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.report.parts import (
    link,
    moment,
    seconds,
    state,
    text_with_links,
    tone,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.report.scale import TimeScale, parse_time
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.report.timeline import timeline

from .records import a_gate, a_job, a_project, a_record, iso

DAY = 86400.0
# 2026-01-01 00:00:00 UTC
START = 1767225600.0


# ----- the time axis -----


def test_scale_positions_times_in_percent():
    scale = TimeScale([(START, START + 50), (START + 50, START + 100)])
    assert [scale.position(START + second) for second in (-5, 0, 25, 100, 200)] == [0, 0, 25, 100, 100]
    assert scale.cuts == []


def test_scale_cuts_long_times_without_jobs():
    scale = TimeScale([(START, START + 100), (START + 2 * DAY, START + 2 * DAY + 100)])
    ((left, right),) = scale.cuts
    assert (round(left, 1), round(right, 1)) == (48.5, 51.5)
    # times within the omitted span are shown at its end
    assert scale.position(START + DAY) == right
    labels = [label for _position, label in scale.ticks()]
    assert labels[0] == "1 Jan 00:00:00" and any(label.startswith("3 Jan") for label in labels)


def test_many_cuts_leave_room_for_the_jobs():
    scale = TimeScale([(START + number * DAY, START + number * DAY + 10) for number in range(60)])
    assert len(scale.cuts) == 59
    assert sum(right - left for left, right in scale.cuts) == pytest.approx(30)


def spans_of(scale):
    """Return the start and end of each label, in percent of a narrow axis."""
    return [(position, position + 1.6 * len(label)) for position, label in scale.ticks()]


@pytest.mark.parametrize("length", [0, 0.5, 3, 52, 59, 61, 1000, 7200, DAY, 40 * DAY])
def test_ticks_are_few_ordered_and_do_not_overlap(length):
    spans = spans_of(TimeScale([(START + 7.3, START + 7.3 + length)]))
    assert 1 <= len(spans) <= 10
    assert all(right <= left for (_left, right), (left, _right) in zip(spans, spans[1:]))


@pytest.mark.parametrize("length", [50, 7200, DAY, 5 * DAY, 40 * DAY])
def test_tick_labels_stay_within_the_axis(length):
    for begin in range(0, int(length), int(length) // 25):
        spans = spans_of(TimeScale([(START + begin, START + begin + length)]))
        assert spans and all(left >= 0 and right <= 100 for left, right in spans)


@pytest.mark.parametrize("text", [None, 5, "", "yesterday", "2026-01-01T00:00:00", "2026-99-01T00:00:00Z"])
def test_invalid_timestamp_is_none(text):
    assert parse_time(text) is None
    assert moment(text) == ""


def test_timestamp_with_an_offset_is_parsed():
    assert parse_time("2026-01-01T02:00:00.000+02:00") == parse_time("2026-01-01T00:00:00Z") == START
    assert moment("2026-01-01T02:00:00.000+02:00").endswith("+02:00</time>")


# ----- words -----


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0 s"),
        (0.04, "0 s"),
        (1.25, "1.2 s"),
        (9.97, "10 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (125, "2 min 5 s"),
        (3725, "1 h 2 min"),
        (None, ""),
        (True, ""),
        (-1, ""),
        (float("nan"), ""),
    ],
)
def test_durations_are_formatted(value, shown):
    assert seconds(value) == shown


@pytest.mark.parametrize(
    ("value", "html"),
    [
        (
            "Pipeline 6 (https://gitlab.example.com/g/a/-/pipelines/6); gate <x>",
            'Pipeline 6 (<a href="https://gitlab.example.com/g/a/-/pipelines/6" rel="noreferrer">'
            "https://gitlab.example.com/g/a/-/pipelines/6</a>); gate &lt;x&gt;",
        ),
        ("javascript:alert(1)/-/ x", "javascript:alert(1)/-/ x"),
        ("GET https://gitlab.example.com/api/v4/x", "GET https://gitlab.example.com/api/v4/x"),
        (
            'https://a/-/"onclick=x',
            '<a href="https://a/-/&quot;onclick=x" rel="noreferrer">https://a/-/&quot;onclick=x</a>',
        ),
    ],
)
def test_page_urls_in_messages_become_links(value, html):
    assert text_with_links(value) == html
    assert f'<p class="message">{html}</p>' in render_page(a_record(message=value))
    assert f'<p class="reason">{html}</p>' in render_page(a_record(a_project(gates=[a_gate(reason=value)])))


@pytest.mark.parametrize(
    ("jobs", "words"),
    [(1, "took 62 s; its job was queued for 10 s"), (2, "took 62 s; its jobs were queued for up to 10 s")],
)
def test_gate_shows_its_duration_and_the_queue_time_of_its_jobs(jobs, words):
    assert words in render_page(a_record(a_project(gates=[a_gate(jobs=[a_job(number) for number in range(jobs)])])))


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("https://gitlab.example.com/a", True),
        ("http://127.0.0.1:80/a", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//evil.example.com", False),
        ("https:///nothing", False),
        ("http://[bad", False),
        ("https://x/\n", False),
        (None, False),
        (5, False),
    ],
)
def test_only_web_urls_become_links(url, is_link):
    assert ("<a " in link(url, "job")) == is_link


def test_url_is_escaped_in_its_attribute():
    assert link('https://x/"onmouseover="y', "a<b") == (
        '<a href="https://x/&quot;onmouseover=&quot;y" rel="noreferrer">a&lt;b</a>'
    )


def test_status_has_a_word_and_symbol_in_addition_to_color():
    assert (tone("success"), tone("failed"), tone("would be played"), tone("brand_new")) == (
        "good",
        "bad",
        "still",
        "none",
    )
    assert state("<new>") == '<span class="state none"><span aria-hidden="true">?</span> &lt;new&gt;</span>'
    assert ">?</span> would be played" in state("would be played")


# ----- the timeline -----


def test_timeline_has_separate_bars_for_queue_and_run():
    text = timeline([a_project()])
    assert '<i class="queue" style="left:min(0.00%,100% - 3px);width:14.29%">' in text
    assert '<i class="run good" style="left:min(14.29%,100% - 3px);width:85.71%">' in text
    assert "queued 10 s, ran 60 s" in text


@pytest.mark.parametrize(
    ("fields", "bars"),
    [
        ({"status": "running", "finished_at": None, "duration": 30}, ["queue", "run busy"]),
        ({"status": "running", "finished_at": None, "duration": None}, ["queue", "run busy"]),
        ({"status": "pending", "started_at": None, "finished_at": None, "queued_duration": 50}, ["queue"]),
        ({"status": "pending", "started_at": None, "finished_at": None, "queued_duration": None}, []),
        ({"status": "created", "started_at": None, "finished_at": None}, []),
        ({"queued_duration": None}, ["run good"]),
        ({"status": "failed", "finished_at": None}, ["queue", "run bad"]),
        ({"started_at": "nonsense"}, []),
    ],
)
def test_job_has_bars_for_its_known_times(fields, bars):
    text = timeline([a_project(jobs=[a_job(1), a_job(2, **fields)])])
    row = text.partition(">job2<")[2].partition("</li>")[0]
    assert [kind for kind in ("queue", "run good", "run bad", "run busy") if f'class="{kind}"' in row] == bars


def test_timeline_names_attempts_and_triggered_pipelines():
    jobs = [a_job(1, superseded=True), a_job(2, attempt=2), a_job(3, downstream_pipeline_id=7)]
    text = timeline([a_project(jobs=jobs)])
    assert "attempt 1" in text and "attempt 2" in text and "triggers pipeline 7" in text


def test_empty_timeline_explains_why():
    assert timeline([a_project(jobs=[], pipelines=[])]) == "<p>No pipeline was read.</p>"
    waiting = a_job(status="created", started_at=None, finished_at=None)
    assert timeline([a_project(jobs=[waiting])]) == "<p>No job has been queued yet.</p>"


# ----- the page -----


def test_page_is_self_contained_and_titled():
    page = render_page(a_record())
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert "<title>app: passed - release gate</title>" in page
    assert "default-src 'none'" in page and "prefers-color-scheme" in page and "@media print" in page
    for foreign in ("<script", "<link", "<img", "@import", "url("):
        assert foreign not in page


def test_failures_warnings_and_logs_are_shown():
    gate = a_gate(
        outcome="failed",
        reason="it broke",
        log_tail=["one", "<b>two</b>"],
        job_variables=["RELEASE"],
        require="finished",
    )
    child = {"id": 7, "path": "infra", "parent_id": 6, "accessible": False, "status": "failed", "project": "g/b"}
    project = a_project(gates=[gate], needs=["x"], outcome="failed")
    project["pipelines"] = [*project["pipelines"], {**child, "ref": "main", "web_url": None}]
    missed = a_project(name="site", pipelines=[], jobs=[], pipeline=None, outcome="not reached", gates=[])
    record = a_record(
        project, missed, message="It <broke>.", warnings=["be careful"], outcome="failed", check_mode=True
    )
    page = render_page(record)
    for words in (
        "It &lt;broke&gt;.",
        "be careful",
        "one\n&lt;b&gt;two&lt;/b&gt;",
        "with RELEASE",
        "needs x",
        "cannot be read with this token",
        "infra → g/b Pipeline 7",
        "no pipeline",
        "<dt>Would change</dt><dd>1 gate</dd>",
    ):
        assert words in page, words


def test_page_with_three_hundred_jobs_stays_small():
    jobs = [a_job(number, started_at=iso(number), finished_at=iso(number + 60)) for number in range(1, 301)]
    page = render_page(a_record(a_project(jobs=jobs)))
    assert page.count('class="run good"') >= 300
    assert len(page) < 300_000

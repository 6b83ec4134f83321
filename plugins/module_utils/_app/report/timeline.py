# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The timeline of a report: a row for each job, with a bar for its time in the queue and one for its run."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..fields import seconds_of
from ..jobs.statuses import is_finished, is_queued
from .gates import log_details
from .parts import has_failed, link, seconds, state, text, tone
from .scale import Interval, TimeScale, parse_time

_LEGEND = """<ul class="legend small">
<li><span class="track" aria-hidden="true"><i class="queue"></i></span>queued</li>
<li><span class="track" aria-hidden="true"><i class="run good"></i></span>succeeded</li>
<li><span class="track" aria-hidden="true"><i class="run bad"></i></span>failed or canceled</li>
<li><span class="track" aria-hidden="true"><i class="run busy"></i></span>still running</li>{cut}
</ul>"""
_CUT_LEGEND = """
<li><span class="track" aria-hidden="true"><i class="cut"></i></span>time without jobs, cut out</li>"""

# When a job was in the queue, and when it ran.
_Bars = tuple[t.Optional[Interval], t.Optional[Interval]]


def timeline(projects: t.Sequence[Record]) -> str:
    """Return the section with all jobs of all projects, on one time axis."""
    jobs = [job for project in projects for job in project["jobs"]]
    moments = (parse_time(job.get(name)) for job in jobs for name in ("created_at", "started_at", "finished_at"))
    latest = max(filter(None, moments), default=0.0)
    bars = {job.get("id"): _bars(job, latest) for job in jobs}
    intervals = [interval for job_bars in bars.values() for interval in job_bars if interval]
    if not intervals:
        return "<p>No job has been queued yet.</p>" if jobs else "<p>No pipeline was read.</p>"
    scale = TimeScale(intervals)
    legend = _LEGEND.format(cut=_CUT_LEGEND if scale.cuts else "")
    groups: list[str] = []
    shown_logs = {job.get("id") for project in projects for gate in project["gates"] for job in gate["jobs"]}
    for project in projects:
        jobs_of: dict[t.Any, list[Record]] = {}
        for job in project["jobs"]:
            jobs_of.setdefault(job["pipeline_id"], []).append(job)
        for pipeline in project["pipelines"]:
            shown = jobs_of.get(pipeline["id"], [])
            rows = "".join(_row(job, bars[job.get("id")], scale, shown_logs) for job in shown)
            quiet = "" if any(map(has_failed, shown)) else " quiet"
            groups.append(_group(pipeline, rows, quiet, len(groups)) if rows else "")
    return f'{_grid(scale)}{legend}\n<div class="times">\n{_axis(scale)}{"".join(groups)}</div>'


def _group(pipeline: Record, rows: str, quiet: str, number: int) -> str:
    name = link(pipeline.get("web_url"), f"Pipeline {pipeline['id']}")
    by = f" by {text(pipeline['path'])}" if pipeline.get("path") else ""
    return (
        f'<section class="group{quiet}" aria-labelledby="times-{number}">\n<h3 id="times-{number}">'
        f'{text(pipeline.get("project"))} {name} <span class="small">of {text(pipeline.get("ref"))}{by}</span> '
        f'{state(pipeline.get("status"))}</h3>\n<ol class="lanes" role="list">\n{rows}</ol>\n</section>\n'
    )


def _row(job: Record, bars: _Bars, scale: TimeScale, shown_logs: t.Container[t.Any]) -> str:
    notes = []
    if job.get("attempt", 1) > 1 or job.get("superseded"):
        notes.append(f"attempt {job['attempt']}")
    if job.get("downstream_pipeline_id"):
        notes.append(f"triggers pipeline {job['downstream_pipeline_id']}")
    note = f' <span class="small">{text(", ".join(notes))}</span>' if notes else ""
    queue, run = bars
    ran = seconds(run[1] - run[0]) if run else ""
    queued = seconds(queue[1] - queue[0]) if queue else ""
    before = seconds(job.get("previous_duration"))
    times = ((queued, f"queued {queued}"), (ran, f"ran {ran}"), (before, f"last time {before}"))
    cuts = "".join(
        f'<i class="cut" style="left:{left:.2f}%;width:{right - left:.2f}%"></i>' for left, right in scale.cuts
    )
    shown = cuts + _bar("queue", queue, scale) + _bar(f"run {tone(job.get('status'))}", run, scale)
    tail = job.get("log_tail") if job.get("id") not in shown_logs else None
    return (
        f'<li class="lane{"" if has_failed(job) else " quiet"}">'
        f'<span class="job">{link(job.get("web_url"), job.get("name"))}{note}</span> {state(job.get("status"))} '
        f'<span class="small">{", ".join(words for given, words in times if given)}</span>'
        f'<span class="track" aria-hidden="true">{shown}</span>'
        f"{log_details(tail)}</li>\n"
    )


def _bar(kind: str, interval: Interval | None, scale: TimeScale) -> str:
    if interval is None:
        return ""
    left, right = scale.position(interval[0]), scale.position(interval[1])
    # wide enough to see, and never beyond the end
    return f'<i class="{kind}" style="left:min({left:.2f}%,100% - 3px);width:{right - left:.2f}%"></i>'


def _axis(scale: TimeScale) -> str:
    """Return the axis with its days and its time zone, which stays visible while scrolling."""
    labels = [f'<span style="left:{position:.2f}%">{text(label)}</span>' for position, label in scale.ticks()]
    return (
        f'<div class="head"><p class="small">{text(scale.days)}, UTC (clock of the GitLab server)</p>'
        f'<span class="axis" aria-hidden="true">{"".join(labels)}</span></div>\n'
    )


def _grid(scale: TimeScale) -> str:
    """Return the style that draws a line for each tick in every row."""
    lines = ",".join(
        f"linear-gradient(var(--line),var(--line)) {position:.2f}% 0/1px 100% no-repeat"
        for position, _label in scale.ticks()
    )
    return f"<style>.times .track{{background:{lines}}}</style>\n"


def _bars(job: Record, latest: float) -> _Bars:
    """Return the bars of a job, by the server's clock, which can differ from the local one."""
    started, finished = parse_time(job.get("started_at")), parse_time(job.get("finished_at"))
    duration = seconds_of(job.get("duration"))
    status = str(job.get("status"))
    seconds_queued = seconds_of(job.get("queued_duration")) or 0.0
    if started is None:
        is_waiting = is_queued(status) and seconds_queued
        return (latest - seconds_queued, latest) if is_waiting else None, None
    if finished is None and not is_finished(status):
        finished = latest if duration is None else started + duration
    run = (started, max(started, finished or started))
    return (started - seconds_queued, started) if seconds_queued else None, run

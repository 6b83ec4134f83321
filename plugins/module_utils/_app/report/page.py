# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The report of a release: its record as one HTML page that needs nothing else, neither network nor script."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from .gates import gate_anchor, gate_list, is_optional, is_shut
from .parts import compared, has_failed, link, look, mark, moment, release_name, seconds, state, text, text_with_links
from .style import STYLE
from .timeline import timeline

# A style sheet hides the rest of the page when this is checked, so it stands beside what it hides.
_SWITCH = (
    '<input class="only" type="checkbox" id="only-failed"> '
    '<label class="only" for="only-failed">Show only what failed</label>\n'
)


def render_page(record: Record) -> str:
    """Return the page for a record, see `make_record`."""
    projects = record["projects"]
    name = text(release_name(record))
    return "".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="referrer" content="no-referrer">\n',
            # even if something slipped through the escaping, nothing is loaded, run or sent
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
            f"<title>{name}: {text(record['outcome'])} - release gate</title>\n<style>{STYLE}</style>\n",
            "</head>\n<body>\n",
            _header(record),
            _SWITCH if _has_failures(projects) else "",
            "<main>\n",
            _section("gates", "Gates", gate_list(record)),
            _section("timeline", "Timeline", timeline(projects)),
            _section("pipelines", "Pipelines", _pipelines(projects)),
            "</main>\n",
            f"<footer>Made by {text(record['role'])} {text(record['version'])}.</footer>\n</body>\n</html>\n",
        )
    )


def _has_failures(projects: t.Sequence[Record]) -> bool:
    return any(is_shut(gate) for project in projects for gate in project["gates"]) or any(
        has_failed(job) for project in projects for job in project["jobs"]
    )


def _requests(requests: Record) -> str:
    """Return how many requests a run made, and how the rate limit held it back."""
    more = [f"{requests['throttled']:,} refused"] if requests["throttled"] else []
    more += [f"paced for {seconds(requests['paced_seconds'])}"] if requests["paced_seconds"] else []
    return f"{requests['count']:,}" + (f" ({', '.join(more)})" if more else "")


def _header(record: Record) -> str:
    outcome = record["outcome"]
    title = text(release_name(record)) if record["title"] else f"Release of {text(release_name(record))}"
    message = f'<p class="message">{text_with_links(record["message"])}</p>\n' if record["message"] else ""
    warnings = "".join(f'<p class="warning">{text(warning)}</p>\n' for warning in record["warnings"])
    return (
        f'<header>\n<div class="top"><h1>{title}</h1>'
        f'<span class="verdict {look(outcome)}">{state(outcome)}</span></div>\n'
        f"{_jumps(record['projects'])}{message}{warnings}{_facts(record)}</header>\n"
    )


def _jumps(projects: t.Sequence[Record]) -> str:
    links = [
        f'<li><a href="#{gate_anchor(number, place)}">{text(project["name"])}: {text(gate["name"])}</a> '
        f"{state(gate['outcome'])}{', optional' if is_optional(gate) else ''}</li>"
        for number, project in enumerate(projects, 1)
        for place, gate in enumerate(project["gates"], 1)
        if is_shut(gate)
    ]
    return f'<nav aria-label="Gates that did not open"><ul>{"".join(links)}</ul></nav>\n' if links else ""


def _facts(record: Record) -> str:
    count = sum(gate["changed"] for project in record["projects"] for gate in project["gates"])
    changed = f"{count} gate{'s' if count > 1 else ''}" if count else "nothing"
    previous = record.get("previous") or {}
    facts = (
        ("Run by", text(record["user"]) + (f" on {text(record['host'])}" if record["host"] else "")),
        ("GitLab", text(record["server"])),
        ("Began", moment(record["started_at"])),
        ("Took", text(compared(record["elapsed"], previous.get("elapsed")))),
        ("Requests", _requests(record["requests"])),
        ("Compared with", _previous(previous)),
        ("Strategy", text(record["strategy"])),
        ("Would change" if record["check_mode"] else "Changed", changed),
    )
    shown = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts if value)
    return f'<dl class="facts">{shown}</dl>\n'


def _previous(previous: Record) -> str:
    if not previous:
        return ""
    name = f"{text(previous['title'])}, " if previous.get("title") else ""
    return f"{name}{text(previous.get('outcome'))} {moment(previous.get('started_at'))}"


def _section(name: str, title: str, content: str) -> str:
    return f'<section aria-labelledby="{name}">\n<h2 id="{name}">{title}</h2>\n{content}\n</section>\n'


def _pipelines(projects: t.Sequence[Record]) -> str:
    """Return the tree of the pipelines, and of each its stages side by side, as GitLab shows a pipeline."""
    roots = []
    for project in projects:
        pipelines = project["pipelines"]
        children: dict[t.Any, list[Record]] = {}
        for pipeline in pipelines[1:]:
            children.setdefault(pipeline.get("parent_id"), []).append(pipeline)
        jobs: dict[t.Any, list[Record]] = {}
        for job in project["jobs"]:
            if not job.get("superseded"):
                jobs.setdefault(job.get("pipeline_id"), []).append(job)
        content = _pipeline(pipelines[0], children, jobs) if pipelines else "no pipeline"
        quiet = "" if any(has_failed(job) for rows in jobs.values() for job in rows) else ' class="quiet"'
        roots.append(f"<li{quiet}><strong>{text(project['name'])}</strong><ul><li>{content}</li></ul></li>\n")
    return f'<div class="tree"><ul>\n{"".join(roots)}</ul></div>'


def _pipeline(pipeline: Record, children: dict[t.Any, list[Record]], jobs: t.Mapping[t.Any, t.Sequence[Record]]) -> str:
    """Return a pipeline with those below it, each of which is shown once, also where a record has a circle."""
    trigger = f"{text(pipeline['path'].rpartition('/')[2])} → " if pipeline.get("path") else ""
    closed = "" if pipeline.get("accessible", True) else ' <span class="small">cannot be read with this token</span>'
    shown = (
        f"{trigger}{text(pipeline.get('project'))} "
        f"{link(pipeline.get('web_url'), 'Pipeline ' + str(pipeline['id']))} {state(pipeline.get('status'))}"
        f' <span class="small">{text(pipeline.get("ref"))}</span>{closed}{_stages(jobs.get(pipeline["id"], ()))}'
    )
    below = "".join(f"<li>{_pipeline(child, children, jobs)}</li>" for child in children.pop(pipeline["id"], ()))
    return f"{shown}<ul>{below}</ul>" if below else shown


def _stages(jobs: t.Sequence[Record]) -> str:
    """Return the stages of a pipeline in their order, which is that of their first jobs."""
    columns: dict[str, list[Record]] = {}
    for job in jobs:
        columns.setdefault(str(job.get("stage") or ""), []).append(job)
    shown = "".join(
        f"<li{'' if any(map(has_failed, column)) else ' class=quiet'}>{_stage(name, column)}</li>"
        for name, column in columns.items()
    )
    return f'<ol class="stages" role="list">{shown}</ol>' if shown else ""


def _stage(name: str, jobs: t.Sequence[Record]) -> str:
    rows = "".join(
        f"<li{'' if has_failed(job) else ' class=quiet'}>{mark(job.get('status'))} "
        f"{link(job.get('web_url'), job.get('name'))}</li>"
        for job in jobs
    )
    return f'<span class="stage">{text(name) or "no stage"}</span><ul role="list">{rows}</ul>'

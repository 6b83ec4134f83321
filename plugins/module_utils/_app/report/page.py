# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The report of a release: its record as one HTML page that needs nothing else, neither network nor script."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from .gates import gate_anchor, gate_list, is_shut
from .parts import compared, has_failed, look, moment, release_name, seconds, state, text, text_with_links
from .stages import pipeline_tree
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
            _section("pipelines", "Pipelines", pipeline_tree(projects)),
            "</main>\n",
            f"<footer>Made by {text(record['role'])} {text(record['version'])}.</footer>\n</body>\n</html>\n",
        )
    )


def _has_failures(projects: t.Sequence[Record]) -> bool:
    return any(is_shut(gate) for project in projects for gate in project["gates"]) or any(
        has_failed(job) for project in projects for job in project["jobs"]
    )


def requests_line(requests: Record) -> str:
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
        f"{message}{_jumps(record['projects'])}{warnings}{_facts(record)}</header>\n"
    )


def _jumps(projects: t.Sequence[Record]) -> str:
    """Return links to the gates that did not open."""
    links = [
        f'<li><a href="#{gate_anchor(number, place)}">{text(project["name"])}: {text(gate["name"])}</a> '
        f"{state(gate['outcome'])}</li>"
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
        ("Requests", requests_line(record["requests"])),
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

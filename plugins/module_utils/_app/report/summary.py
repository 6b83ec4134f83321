# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A release as Markdown, for a merge request, an issue or release notes.

Everything that comes from a server or a user is escaped, so that it cannot be a mention, a reference or a quick action.
Source: https://docs.gitlab.com/user/markdown/
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote

from ..._api.decoding import Record
from ..._api.masking import one_line, printable
from .gates import duration_text, in_order, is_shut, jobs_of, log_tails, others_in_words
from .parts import compared, is_web_address, moment_words, release_name, sign_of, text

# All punctuation with a meaning for Markdown, HTML or GitLab references in the middle of a line. A colon has one if it
# starts an emoji or is part of an address.
_SPECIAL = re.compile(r"([\\`*_\[\]#!|<>~$%&^@]|:(?=[\w+-]+:|//))")
_BACKTICKS = re.compile("`+")


def render_summary(record: Record) -> str:
    """Return the Markdown for a record, see `make_record`."""
    previous = record.get("previous") or {}
    time = compared(record["elapsed"], previous.get("elapsed"))
    facts = [f"Run by {_text(record['user'])}" if record["user"] else "", _text(moment_words(record["started_at"]))]
    facts.append(f"took {_text(time)}" if time else "")
    parts = [f"## {_text(release_name(record))}: {_outcome(record['outcome'])}", ", ".join(filter(None, facts))]
    if record["message"]:
        parts.append(f"**{_text(record['message'])}**")
    parts.append(_table(record["projects"]))
    parts += [_details(gate, project) for project in record["projects"] for gate in project["gates"] if is_shut(gate)]
    parts += [f"- {_text(warning)}" for warning in record["warnings"]]
    return "\n\n".join(filter(None, parts)) + "\n"


def _table(projects: t.Sequence[Record]) -> str:
    rows = ["| Project | Gate | Outcome | Jobs | Duration |", "| --- | --- | --- | --- | ---: |"]
    for project in projects:
        name = _link(project["name"], (project["pipeline"] or {}).get("web_url"))
        for gate in project["gates"]:
            first, others = in_order(gate["jobs"])
            jobs = [f"{_link(job['path'], job.get('web_url'))} {_text(job.get('status'))}" for job in first]
            jobs += [others_in_words(first, others)] if others else []
            cells = (
                name,
                f"{_text(gate['action'])} {_text(gate['name'])}",
                _outcome(gate["outcome"]),
                ", ".join(jobs),
                _text(duration_text(gate)),
            )
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _details(gate: Record, project: Record) -> str:
    """Return why a gate did not open, with the end of its logs in collapsed sections."""
    shown = [f"**{_text(project['name'])}, {_text(gate['name'])}**: {_text(gate['reason'])}"]
    for job, tail in log_tails(gate, jobs_of(gate, project)):
        # HTML, in which Markdown's escapes do not work; in code, GitLab finds no mentions and references either
        title = f"End of the log of <code>{text(job['path'] if job else gate['name'])}</code>"
        shown.append(f"<details><summary>{title}</summary>\n\n{_code(tail)}\n\n</details>")
    return "\n\n".join(shown)


def _outcome(outcome: t.Any) -> str:
    return f"{sign_of(outcome)} {_text(outcome)}"


def _text(value: t.Any) -> str:
    """Return a value as text in one line, also for table cells."""
    return _SPECIAL.sub(r"\\\1", one_line("" if value is None else str(value)))


def _link(label: t.Any, url: t.Any) -> str:
    """Return a link, or only its label if the address is not a web address."""
    if not is_web_address(url):
        return _text(label)
    return f"[{_text(label)}](<{quote(url, safe=_IN_ADDRESSES)}>)"


# All characters except spaces and those that would end an address, a cell or a line.
_IN_ADDRESSES = "/:?#[]@!$&'()*+,;=%-._~"


def _code(lines: t.Sequence[str]) -> str:
    """Return lines as a code block with a fence that is longer than any fence in them."""
    shown = "\n".join(printable(line) for line in lines)
    longest = max((len(found) for found in _BACKTICKS.findall(shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{shown}\n{fence}"

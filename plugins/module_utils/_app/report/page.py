# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The report of a release: its record as one HTML page that needs nothing else, neither network nor script."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from .parts import block, link, look, moment, seconds, state, text
from .style import STYLE
from .timeline import timeline


def render_page(record: Record) -> str:
    """Return the page for a record, see `release_record`."""
    projects = record["projects"]
    name = record["title"] or ", ".join(project["name"] for project in projects)
    return "".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="referrer" content="no-referrer">\n',
            # even if something slipped through the escaping, nothing is loaded, run or sent
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
            f"<title>Release gate {text(record['outcome'])}: {text(name)}</title>\n<style>{STYLE}</style>\n",
            "</head>\n<body>\n",
            _header(record),
            "<main>\n",
            _section("gates", "Gates", _gates(projects)),
            _section("timeline", "Timeline", timeline(projects)),
            _section("pipelines", "Pipelines", _tree(projects)),
            "</main>\n",
            f"<footer>Made by {text(record['role'])} {text(record['version'])}.</footer>\n</body>\n</html>\n",
        )
    )


def requests_line(requests: Record) -> str:
    """Return how many requests a run made, and how the rate limit held it back."""
    more = [f"{requests['throttled']:,} refused"] if requests["throttled"] else []
    more += [f"paced for {seconds(requests['paced_seconds'])}"] if requests["paced_seconds"] else []
    return f"{requests['count']:,}" + (f" ({', '.join(more)})" if more else "")


def _header(record: Record) -> str:
    count = sum(gate["changed"] for project in record["projects"] for gate in project["gates"])
    changed = f"{count} gate{'s' if count > 1 else ''}" if count else "nothing"
    facts = (
        ("Run by", text(record["user"]) + (f" on {text(record['host'])}" if record["host"] else "")),
        ("GitLab", text(record["server"])),
        ("Began", moment(record["started_at"])),
        ("Took", seconds(record["elapsed"])),
        ("Requests", requests_line(record["requests"])),
        ("Strategy", text(record["strategy"])),
        ("Would change" if record["check_mode"] else "Changed", changed),
    )
    shown = "".join(f"<div><dt>{name}</dt><dd>{value or '-'}</dd></div>" for name, value in facts)
    message = f'<p class="message">{text(record["message"])}</p>\n' if record["message"] else ""
    warnings = "".join(f'<p class="warning">{text(warning)}</p>\n' for warning in record["warnings"])
    outcome = record["outcome"]
    return (
        f'<header>\n<div class="top"><h1>{text(record["title"] or "Release gate")}</h1>'
        f'<span class="verdict {look(outcome)}">{state(outcome)}</span></div>\n'
        f'{message}{warnings}<dl class="facts">{shown}</dl>\n</header>\n'
    )


def _section(name: str, title: str, content: str) -> str:
    return f'<section aria-labelledby="{name}">\n<h2 id="{name}">{title}</h2>\n{content}\n</section>\n'


# ----- gates -----


def _gates(projects: t.Sequence[Record]) -> str:
    columns = ("Gate", "Action", "Outcome", "Reason", "Jobs")
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    numbers = "".join(f'<th scope="col" class="number">{name}</th>' for name in ("Queued", "Took"))
    return (
        '<div class="scroll" tabindex="0" role="region" aria-labelledby="gates"><table class="gates">'
        "<caption>What became of each gate, project by project, in the order of the gates.</caption>\n"
        f"<thead><tr>{head}{numbers}</tr></thead>\n{''.join(map(_project, projects))}</table></div>"
    )


def _project(project: Record) -> str:
    pipeline = project["pipeline"] or {}
    where = ""
    if pipeline.get("id"):
        where = f' <span class="small">{link(pipeline.get("web_url"), "pipeline " + str(pipeline["id"]))}'
        where += f" of {text(pipeline.get('ref'))}, commit {text(str(pipeline.get('sha') or '')[:8])}</span>"
    needs = f' <span class="small">needs {text(", ".join(project["needs"]))}</span>' if project["needs"] else ""
    return (
        f'<tbody><tr><th scope="rowgroup" colspan="7">{text(project["name"])} {state(project["outcome"])}'
        f"{where}{needs}</th></tr>\n{''.join(map(_gate, project['gates']))}</tbody>\n"
    )


def _gate(gate: Record) -> str:
    jobs = "".join(
        f"<li>{link(job.get('web_url'), job['path'])} {state(job.get('status'))}{_by(job)}</li>" for job in gate["jobs"]
    )
    require = f' <span class="small">{text(gate["require"])}</span>' if gate["require"] != "success" else ""
    variables = ""
    if gate["job_variables"]:
        variables = f'<br><span class="small">with {text(", ".join(gate["job_variables"]))}</span>'
    return (
        f'<tr><th scope="row">{text(gate["name"])}</th><td>{text(gate["action"])}{require}{variables}</td>'
        f"<td>{state(gate['outcome'])}</td><td>{text(gate['reason'])}{_log(gate)}</td><td><ul>{jobs}</ul></td>"
        f'<td class="number">{seconds(gate["queued"])}</td><td class="number">{seconds(gate["elapsed"])}</td></tr>\n'
    )


def _by(job: Record) -> str:
    return f' <span class="small">by {text(job["user"])}</span>' if job.get("user") else ""


def _log(gate: Record) -> str:
    if not gate["log_tail"]:
        return ""
    return f"<details open><summary>End of the log</summary><pre>{block(gate['log_tail'])}</pre></details>"


# ----- pipelines -----


def _tree(projects: t.Sequence[Record]) -> str:
    roots = []
    for project in projects:
        pipelines = project["pipelines"]
        children: dict[t.Any, list[Record]] = {}
        for pipeline in pipelines[1:]:
            children.setdefault(pipeline.get("parent_id"), []).append(pipeline)
        content = _pipeline(pipelines[0], children) if pipelines else "no pipeline"
        roots.append(f"<li><strong>{text(project['name'])}</strong><ul><li>{content}</li></ul></li>\n")
    return f'<div class="tree"><ul>\n{"".join(roots)}</ul></div>'


def _pipeline(pipeline: Record, children: dict[t.Any, list[Record]]) -> str:
    """Return a pipeline with those below it, each of which is shown once, also where a record has a circle."""
    trigger = f"{text(pipeline['path'].rpartition('/')[2])} → " if pipeline.get("path") else ""
    closed = "" if pipeline.get("accessible", True) else ' <span class="small">cannot be read with this token</span>'
    shown = (
        f"{trigger}{text(pipeline.get('project'))} "
        f"{link(pipeline.get('web_url'), 'Pipeline ' + str(pipeline['id']))} {state(pipeline.get('status'))}"
        f' <span class="small">{text(pipeline.get("ref"))}</span>{closed}'
    )
    below = "".join(f"<li>{_pipeline(child, children)}</li>" for child in children.pop(pipeline["id"], ()))
    return f"{shown}<ul>{below}</ul>" if below else shown

# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The gates of a report: the outcome and reason of each, the end of the logs, its jobs, and how to continue."""

from __future__ import annotations

import itertools
import json
import shlex
import typing as t

from ..._api.decoding import Record
from ..fields import id_of, int_of, status_of
from ..jobs.statuses import is_blocking_failure, is_playable, is_retryable
from ..release.run import FAILURES
from .parts import block, compared, has_failed, link, seconds, state, text, text_with_links, tone

_MAX_JOBS = 10
_MAX_FAILED = 50


def is_shut(gate: Record) -> bool:
    """Return whether a gate was reached and did not open; an optional one stops nothing."""
    return gate["outcome"] in FAILURES


def is_optional(gate: Record) -> bool:
    return bool(gate["require"] == "optional")


def jobs_of(gate: Record, project: Record) -> list[Record]:
    """Return the jobs of a gate with the fields that the record has elsewhere, such as the end of the log."""
    known = {job.get("id"): job for job in project["jobs"]}
    return [{**known.get(job.get("id"), {}), **job} for job in gate["jobs"]]


def log_tails(gate: Record, jobs: t.Sequence[Record]) -> list[tuple[Record | None, t.Sequence[str]]]:
    """Return the known log ends of a gate, each with its job; the log of the gate itself comes without a job.

    :param jobs: the jobs of the gate, see `jobs_of`.
    """
    tails: list[tuple[Record | None, t.Sequence[str]]] = [(job, job["log_tail"]) for job in jobs if job.get("log_tail")]
    return tails or ([(None, gate["log_tail"])] if gate["log_tail"] else [])


def in_order(jobs: t.Sequence[Record]) -> tuple[list[Record], list[Record]]:
    """Return the jobs of a gate to show at once, failed ones first, and the other jobs.

    There are other jobs only if the gate has too many jobs to show all of them.
    """
    failed = [job for job in jobs if has_failed(job)]
    others = failed[_MAX_FAILED:] + [job for job in jobs if not has_failed(job)]
    shown = failed[:_MAX_FAILED]
    return (shown, others) if len(jobs) > _MAX_JOBS else (shown + others, [])


def others_in_words(first: t.Sequence[Record], others: t.Sequence[Record]) -> str:
    """Return the number of other jobs in words."""
    return f"{len(others)} {'other ' * bool(first)}job{'s' * (len(others) > 1)}"


def duration_text(gate: Record) -> str:
    """Return how long a gate took, with the time of an earlier run; empty if it was not reached."""
    return "" if gate["outcome"] == "not reached" else compared(gate["elapsed"], gate.get("previous_elapsed"))


def gate_anchor(project: int, gate: int) -> str:
    """Return the anchor of a gate on the page, from the numbers of its project and the gate, both from 1."""
    return f"gate-{project}-{gate}"


def gate_list(record: Record) -> str:
    return "".join(_project(number, project, record) for number, project in enumerate(record["projects"], 1))


def _project(number: int, project: Record, record: Record) -> str:
    pipeline = project["pipeline"] or {}
    facts = []
    if pipeline.get("id"):
        shown = link(pipeline.get("web_url"), f"pipeline {pipeline['id']}")
        facts.append(f"{shown} of {text(pipeline.get('ref'))}, commit {text(str(pipeline.get('sha') or '')[:8])}")
    if project["needs"]:
        facts.append(f"needs {text(', '.join(project['needs']))}")
    about = f'<p class="small">{"; ".join(facts)}</p>\n' if facts else ""
    gates = "".join(
        _gate(gate_anchor(number, place), gate, project, record) for place, gate in enumerate(project["gates"], 1)
    )
    quiet = "" if any(map(is_shut, project["gates"])) else " quiet"
    return (
        f'<section class="project{quiet}" aria-labelledby="project-{number}">\n'
        f'<h3 id="project-{number}">{text(project["name"])} {state(project["outcome"])}</h3>\n'
        f'{about}<ol class="gates" role="list">\n{gates}</ol>\n</section>\n'
    )


def _gate(anchor: str, gate: Record, project: Record, record: Record) -> str:
    reason = f'<p class="reason">{text_with_links(gate["reason"])}</p>' if gate["reason"] else ""
    jobs = jobs_of(gate, project)
    of_no_job = "".join(log_details(tail) for job, tail in log_tails(gate, jobs) if not job)
    first, others = in_order(jobs)
    shown = _jobs(first)
    if others:
        shown += f'<details class="quiet"><summary>{others_in_words(first, others)}</summary>{_jobs(others)}</details>'
    quiet = "" if is_shut(gate) else " quiet"
    return (
        f'<li id="{anchor}" class="gate {tone(gate["outcome"])}{quiet}"><h4>{text(gate["name"])} '
        f'{state(gate["outcome"])}</h4>\n<div class="what">{reason}{of_no_job}{shown}'
        f"{_again(gate, project, record)}</div>\n"
        f'<p class="small facts-of-gate">{_facts(gate)}</p></li>\n'
    )


def _facts(gate: Record) -> str:
    facts = [text(gate["action"])]
    if is_optional(gate):
        facts.append("optional")
    elif gate["require"] != "success":
        facts.append(f"requires {text(gate['require'])}")
    if gate["job_variables"]:
        facts.append(f"with {text(', '.join(gate['job_variables']))}")
    if duration_text(gate):
        facts.append(f"took {duration_text(gate)}")
    if seconds(gate["queued"]):
        several = len(gate["jobs"]) > 1
        facts.append(
            f"its {'jobs were' if several else 'job was'} queued for {'up to ' * several}{seconds(gate['queued'])}"
        )
    return "; ".join(facts)


def _jobs(jobs: t.Sequence[Record]) -> str:
    rows = "".join(f"<li>{_job(job)}{log_details(job.get('log_tail'))}</li>" for job in jobs)
    return f'<ul class="jobs" role="list">{rows}</ul>'


def _job(job: Record) -> str:
    """Return a job of a gate with its link, status, attempt, user, environment and approvals."""
    parts = [f"{link(job.get('web_url'), job['path'])} {state(job.get('status'))}"]
    if job.get("attempt", 1) > 1:
        parts.append(f"attempt {job['attempt']}")
    if job.get("user"):
        parts.append(f"by {text(job['user'])}")
    environment = job.get("environment")
    if isinstance(environment, dict) and environment.get("name"):
        parts.append(f"environment {link(environment.get('url'), environment['name'])}")
    parts += [f"{text(given.get('status'))} by {text(given.get('user'))}" for given in job.get("approvals") or ()]
    return f'{parts[0]}<span class="small">{"".join(f", {part}" for part in parts[1:])}</span>'


def log_details(tail: t.Sequence[str] | None) -> str:
    """Return the end of a log as a collapsible section, empty if there is no log."""
    return f"<details open><summary>End of the log</summary><pre>{block(tail)}</pre></details>" if tail else ""


def _again(gate: Record, project: Record, record: Record) -> str:
    """Return the commands that start the jobs of a gate again, and what to do then."""
    if not is_shut(gate):
        return ""
    commands = filter(None, (retry_command(record, project, job) for job in _to_start(gate, project)))
    shown = "".join(f"<pre>{block([command])}</pre>" for command in itertools.islice(commands, _MAX_JOBS))
    shown += '<p class="small">Start the other jobs in the same way.</p>' if next(commands, "") else ""
    again = f"{'Then' if shown else 'Fix the cause, then'} run the playbook again: passed gates stay as they are."
    if any(other["action"] == "run" for each in record["projects"] for other in each["gates"]):
        again += " A gate that starts a pipeline starts a new one if the last has ended, unless it sets reuse: success."
    return f'<details><summary>How to continue</summary>{shown}<p class="small">{again}</p></details>'


def _to_start(gate: Record, project: Record) -> t.Iterable[Record]:
    """Return the jobs that must run before a gate opens: its own, and failed jobs if one of its own was skipped."""
    jobs = {job["id"]: job for job in jobs_of(gate, project)}
    if any(status_of(job) == "skipped" for job in gate["jobs"]):
        jobs.update((job["id"], job) for job in project["jobs"] if is_blocking_failure(job) and not job["superseded"])
    return jobs.values()


def retry_command(record: Record, project: Record, job: Record) -> str:
    """Return the command that retries a job or plays a manual one, empty if neither is possible.

    The token comes from the environment of the command. Everything else is an id or an option of the user, quoted for
    a shell.

    :param project: the project of the record with the pipeline of the job.
    """
    status = status_of(job)
    action = "retry" if is_retryable(status) else "play" if is_playable(status) else ""
    if not action:
        return ""
    pipeline: Record = next((row for row in project["pipelines"] if row["id"] == job.get("pipeline_id")), {})
    if job.get("kind") == "bridge" or not int_of(pipeline, "project_id") or not id_of(job):
        return ""
    given = str(project["project"])
    # forks and downstream projects have other addresses
    is_given = str(pipeline.get("web_url")).startswith(f"{record['server']}/{given}/-/")
    options = {
        "api_url": record["server"],
        "project": given if is_given else str(pipeline["project_id"]),
        "job_id": id_of(job),
        "action": action,
        "wait": True,
    }
    return f"ansible localhost -m jobgate.gitlab.gitlab_job_action -a {shlex.quote(json.dumps(options))}"

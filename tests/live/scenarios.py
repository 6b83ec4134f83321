# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scenarios to check against a real GitLab: some only read, others play, retry and cancel jobs made for this.

The jobs are defined in `gitlab-ci.yml` in this folder.
"""

from __future__ import annotations

import dataclasses
import pathlib
import tempfile
import typing as t

from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import (
    gitlab_job_action,
    gitlab_job_download,
    gitlab_job_info,
    gitlab_pipeline_bridges,
    gitlab_release_gate,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.release_plan import (
    GATE_OPTIONS,
    PROJECT_OPTIONS,
)

from .runner import Row, Runner

INFO = gitlab_job_info.TASK
ACTION = gitlab_job_action.TASK
BRIDGES = gitlab_pipeline_bridges.TASK
DOWNLOAD = gitlab_job_download.TASK
GATE = gitlab_release_gate.TASK

WAIT_SECONDS = 600.0


class SkippedError(Exception):
    """The project lacks something that the check needs."""


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One row of the report.

    :param writes: whether the scenario changes anything in GitLab.
    :param check: function that raises AssertionError if something is wrong.
    """

    title: str
    check: t.Callable[[Runner], None]
    writes: bool = False


def expect(condition: object, what: str) -> None:
    """Check that a condition holds.

    :raises AssertionError: if it does not.
    """
    if not condition:
        raise AssertionError(what)


def jobs_of(runner: Runner, **options: t.Any) -> list[Row]:
    """Return jobs of the newest pipeline of the target's ref."""
    done = runner.run(INFO, ref=runner.target.ref, **options)
    expect(done.failure is None, str(done.failure))
    return list(done.values["jobs"])


def job_named(runner: Runner, name: str) -> Row:
    """Return the job with this name in the newest pipeline of the target's ref."""
    found = [job for job in jobs_of(runner) if job["name"] == name]
    if not found:
        raise SkippedError(f"the pipeline has no job {name}; see tests/live/gitlab-ci.yml")
    return found[0]


# ----- reading -----


def lists_agree(runner: Runner) -> None:
    jobs = jobs_of(runner)
    expect(jobs, "the newest pipeline of the ref has no job")
    by_id = runner.run(INFO, job_id=jobs[0]["id"])
    expect(by_id.failure is None, str(by_id.failure))
    expect(by_id.values["job"]["name"] == jobs[0]["name"], "a job by its id has another name than in the list")
    pages = runner.run(INFO, ref=runner.target.ref, api_concurrency=1)
    expect([job["id"] for job in pages.values["jobs"]] == [job["id"] for job in jobs], "lists differ by concurrency")


def statuses_are_known(runner: Runner) -> None:
    done = runner.run(INFO, ref=runner.target.ref, include_retried=True)
    expect(done.failure is None, str(done.failure))
    unknown = [text for text in done.warnings if "does not know" in text]
    expect(not unknown, "; ".join(unknown))


def trigger_jobs_are_read(runner: Runner) -> None:
    done = runner.run(BRIDGES, ref=runner.target.ref)
    expect(done.failure is None, str(done.failure))


def log_is_read(runner: Runner) -> None:
    ended = [job for job in jobs_of(runner) if job["status"] in ("success", "failed")]
    if not ended:
        raise SkippedError("no job of the pipeline has ended")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "job.log")
        done = runner.run(DOWNLOAD, job_id=ended[0]["id"], content="log", dest=str(path))
        expect(done.failure is None, str(done.failure))
        expect(path.stat().st_size == done.values["size"], "the size of the log is not what was returned")
        again = runner.run(DOWNLOAD, job_id=ended[0]["id"], content="log", dest=str(path))
        expect(not again.changed, "the same log counts as a change")


def archive_is_read(runner: Runner) -> None:
    with_archive = [job for job in jobs_of(runner) if job.get("artifacts_file")]
    if not with_archive:
        raise SkippedError("no job of the pipeline has artifacts")
    with tempfile.TemporaryDirectory() as folder:
        done = runner.run(
            DOWNLOAD, job_id=with_archive[0]["id"], content="archive", dest=str(pathlib.Path(folder, "a"))
        )
    expect(done.failure is None, str(done.failure))
    expect(
        done.values["size"] == with_archive[0]["artifacts_file"]["size"], "the archive has another size than it says"
    )


def missing_objects_are_reported_in_one_sentence(runner: Runner) -> None:
    for options in ({"job_id": 2**31 - 2}, {"ref": "no-such-ref-of-the-live-check"}):
        done = runner.run(INFO, **options)
        expect(done.failure and len(done.failure) < 1000, f"{options}: {done.failure}")
    token = runner.target.token
    bad = runner.run(INFO, ref=runner.target.ref, api_token="glpat-not-a-token-of-anybody")
    expect(bad.failure and "401" in bad.failure, f"a wrong token: {bad.failure}")
    expect(token not in str(bad), "the token is in an error")


def check_mode_changes_nothing(runner: Runner) -> None:
    before = [(job["id"], job["status"]) for job in jobs_of(runner)]
    for action in ("play", "retry", "cancel"):
        for job_id, _status in before[:5]:
            runner.run(ACTION, check_mode=True, job_id=job_id, action=action)
    written = [line for line in runner.notes.lines if not line.startswith("GET ")]
    expect(not written, f"check mode has sent {written}")


def gate_verifies(runner: Runner) -> None:
    done = [job["name"] for job in jobs_of(runner) if job["status"] == "success"]
    if not done:
        raise SkippedError("no job of the pipeline has succeeded")
    outcome = run_gate(runner, {"name": [done[0]], "action": "verify"})
    expect(outcome.values["outcome"] == "passed", str(outcome.failure))


def run_gate(runner: Runner, *gates: Row) -> t.Any:
    """Run a release with these gates, and return its outcome."""
    gate_defaults = {name: option.get("default") for name, option in GATE_OPTIONS.items()}
    project_defaults = {name: option.get("default") for name, option in PROJECT_OPTIONS.items()}
    full = [{**gate_defaults, **gate} for gate in gates]
    project = {
        **project_defaults,
        "project": runner.target.project,
        "ref": runner.target.ref,
        "needs": [],
        "gates": full,
    }
    return runner.run(GATE, projects=[project], wait_timeout=WAIT_SECONDS)


# ----- writing -----


def act(runner: Runner, name: str, action: str, **options: t.Any) -> t.Any:
    """Run an action on a job of `gitlab-ci.yml`, and return its outcome."""
    job_named(runner, name)
    done = runner.run(ACTION, ref=runner.target.ref, name=[name], action=action, wait_timeout=WAIT_SECONDS, **options)
    expect(done.failure is None, str(done.failure))
    return done


def manual_job_is_played_once(runner: Runner) -> None:
    if job_named(runner, "live-manual")["status"] != "manual":
        raise SkippedError("live-manual was played before; start a new pipeline")
    predicted = runner.run(ACTION, check_mode=True, ref=runner.target.ref, name=["live-manual"], action="play")
    expect(predicted.changed, "check mode predicts no change")
    done = act(runner, "live-manual", "play", wait=True)
    expect(done.changed and done.values["status"] == "success", f"it is {done.values['status']}")
    expect(not act(runner, "live-manual", "play", wait=True).changed, "the second play counts as a change")
    plays = [line for line in runner.notes.lines if line.startswith("POST play_job")]
    expect(len(plays) == 1, f"the job was played {len(plays)} times")


def failed_job_is_retried(runner: Runner) -> None:
    job = job_named(runner, "live-failing")
    if job["status"] != "failed":
        raise SkippedError(f"live-failing is {job['status']}")
    done = runner.run(ACTION, ref=runner.target.ref, name=["live-failing"], action="retry", wait=True)
    expect(done.changed, f"nothing was retried: {done.failure}")
    expect(job_named(runner, "live-failing")["id"] > job["id"], "there is no new attempt")


def long_job_is_canceled(runner: Runner) -> None:
    if job_named(runner, "live-long")["status"] != "manual":
        raise SkippedError("live-long was played before; start a new pipeline")
    act(runner, "live-long", "play")
    done = act(runner, "live-long", "cancel", wait=True)
    expect(done.changed and done.values["status"] == "canceled", f"it is {done.values['status']}")
    expect(not act(runner, "live-long", "cancel").changed, "the second cancel counts as a change")


def gate_plays_once(runner: Runner) -> None:
    if job_named(runner, "live-gate")["status"] != "manual":
        raise SkippedError("live-gate was played before; start a new pipeline")
    outcome = run_gate(runner, {"name": ["live-gate"], "action": "play"})
    expect(outcome.values["outcome"] == "passed" and outcome.changed, str(outcome.failure))
    expect(not run_gate(runner, {"name": ["live-gate"], "action": "play"}).changed, "the second run counts as a change")


def artifacts_are_deleted_and_job_is_erased(runner: Runner) -> None:
    job = job_named(runner, "live-gate")
    if job["status"] != "success":
        raise SkippedError("live-gate has not succeeded")
    for action in ("delete_artifacts", "erase"):
        done = runner.run(ACTION, job_id=job["id"], action=action)
        expect(done.failure is None and done.changed, f"{action}: {done.failure or 'no change'}")
        expect(not runner.run(ACTION, job_id=job["id"], action=action).changed, f"the second {action} is a change")


SCENARIOS: t.Final = (
    Scenario("Lists, single jobs and pages agree", lists_agree),
    Scenario("Every status is known", statuses_are_known),
    Scenario("Trigger jobs are read", trigger_jobs_are_read),
    Scenario("A log is downloaded whole", log_is_read),
    Scenario("An archive is downloaded whole", archive_is_read),
    Scenario("Missing objects are reported in one sentence", missing_objects_are_reported_in_one_sentence),
    Scenario("Check mode changes nothing", check_mode_changes_nothing),
    Scenario("A gate verifies", gate_verifies),
    Scenario("A manual job is played once", manual_job_is_played_once, writes=True),
    Scenario("A failed job is retried", failed_job_is_retried, writes=True),
    Scenario("A long job is canceled", long_job_is_canceled, writes=True),
    Scenario("A gate plays, once", gate_plays_once, writes=True),
    Scenario("Artifacts are deleted, and a job is erased", artifacts_are_deleted_and_job_is_erased, writes=True),
)

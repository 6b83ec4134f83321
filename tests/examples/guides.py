# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks of the guides, with the world that each needs and the expected results of the first and second run."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing as t

from .blocks import guide_blocks
from .server import JOB_TOKEN, TOKEN, TRIGGER_TOKEN, World
from .worlds import MANUAL, SENDS_REPORTS, Job, project, trigger

PACKAGE = "the package\n"


@dataclasses.dataclass(frozen=True)
class Guide:
    """One playbook of a guide.

    :param title: name of its first play.
    :param effects: expected changes on the server in the first run, as action and job name.
    :param again: expected changes on the server in the second run.
    :param changes: number of tasks that report a change in the first run.
    :param changes_again: number of tasks that report a change in the second run.
    :param changes_checked: the same in check mode, which skips tasks that need results of a real run; None if equal.
    :param output: strings that the output of the first run contains.
    :param faults: fault rules for the simulator during the first run.
    :param approve: the job that another user approves during the first run.
    :param replaced: strings of the playbook and their replacements, for example paths.
    :param shows_token: whether the results of its tasks contain the token, as the guide warns.
    :param has_check_mode: whether check mode is useful: not if tasks need the results of earlier tasks.
    """

    name: str
    title: str
    world: World
    effects: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    changes: int = 0
    changes_again: int = 0
    changes_checked: int | None = None
    output: tuple[str, ...] = ()
    faults: tuple[dict[str, t.Any], ...] = ()
    approve: str = ""
    extra_vars: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    environment: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    replaced: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    files: tuple[str, ...] = ()
    has_check_mode: bool = True
    shows_token: bool = False

    @property
    def token(self) -> str:
        """The token of the user who reads the guide."""
        return str(self.world["tokens"][0]["token"])


def world(*jobs: Job, ref: str = "v1.2.0", **more: t.Any) -> World:
    """Return a world with one pipeline."""
    return {
        "version": "19.2",
        "users": ["alice", "bob"],
        "tokens": [{"token": TOKEN, "user": "alice"}],
        "projects": [project("group/app", id=1), project("group/smoke-tests")],
        "pipelines": [{"project": "group/app", "ref": ref, "tag": ref != "main", "user": "alice", "jobs": list(jobs)}],
        **more,
    }


def protected_world(*jobs: Job) -> World:
    """Return a world in which production is protected by an approval rule."""
    made = world(*jobs)
    made["projects"][0]["protected_environments"] = {"production": {"rules": [{"role": "maintainer"}]}}
    return made


def scenario_of(name: str) -> World:
    """Return the scenario shown in a guide."""
    scenarios = [block.content for block in guide_blocks(name) if block.is_scenario]
    assert len(scenarios) == 1, f"{name}.rst has {len(scenarios)} scenarios"
    return t.cast(World, scenarios[0])


BUILD: Job = {"name": "build", "stage": "build", "queue": 0, "duration": 20}
DEPLOY: Job = {"name": "deploy:prod", "stage": "deploy", **MANUAL, "environment": "production"}


def downstream_world(**smoke: t.Any) -> World:
    infra = trigger(
        "trigger:infra", None, {"name": "plan", "stage": "plan"}, {"name": "apply", "stage": "apply", **MANUAL}
    )
    return world(
        BUILD, infra, trigger("trigger:smoke", "group/smoke-tests", {"name": "login", "duration": 20}, **smoke)
    )


def applied_world() -> World:
    """Return a world in which all jobs have succeeded, because the flowchart of a running pipeline changes."""
    made = downstream_world()
    for job in made["pipelines"][0]["jobs"][1:]:
        for below in job["trigger"]["pipeline"]["jobs"]:
            below["status"] = "success"
    return made


def hand_over_world() -> World:
    """Return a world with a build that creates the artifacts that the guide reads."""
    digest = hashlib.sha256(PACKAGE.encode()).hexdigest()
    files = {
        "build.env": "VERSION=1.2.0\n",
        "dist/app.tar.gz": PACKAGE,
        "dist/sha256.json": json.dumps({"app.tar.gz": digest}),
    }
    build = {
        "name": "build",
        "stage": "build",
        "status": "success",
        "log": "$ make\nWARNING: old compiler\ndone\n",
        "artifacts": {"files": files, "expire_in": 86400},
    }
    left = {"files": {"coverage.json": '{"percent": 91}'}, "reports": ["junit"]}
    tests = {"name": "test", "status": "success", "artifacts": left}
    # the deployment is optional, because a pipeline that waits for a blocking job has not succeeded
    return world(build, tests, {**DEPLOY, "allow_failure": True}, ref="main", version=SENDS_REPORTS)


def large_world() -> World:
    """Return a world with two projects to release."""
    made = world(BUILD, DEPLOY)
    made["projects"].append(project("group/api"))
    made["pipelines"].append({**made["pipelines"][0], "project": "group/api"})
    return made


def ci_world() -> World:
    """Return a world with a running job in a tag's pipeline; the playbook has the token of that job."""
    build = {**BUILD, "status": "success", "artifacts": {"files": {"notes.md": "# 1.2.0\n"}}}
    tests = {"name": "test:unit", "stage": "test", "queue": 0, "duration": 30}
    release = {"name": "release", "stage": "release", "needs": [], "queue": 0, "duration": 100000}
    made = world(build, tests, {**DEPLOY, "needs": ["test:unit"]}, release)
    made["pipelines"][0]["id"] = 6
    made["tokens"].append({"token": JOB_TOKEN, "kind": "job", "job": "release"})
    return made


REPORT: Job = {
    "name": "report",
    "stage": "report",
    "duration": 5,
    "artifacts": {"files": {"report.env": "PASSED=212\nTARGET=staging\n"}},
}


def run_world(*jobs: Job, **old: t.Any) -> World:
    """Return a world with an old pipeline of main, in which new pipelines contain these jobs."""
    made = world({**BUILD, "status": "success", **old}, ref="main")
    made["projects"][0]["new_pipelines"] = {"*": {"jobs": [BUILD, *jobs]}}
    made["tokens"].append({"token": TRIGGER_TOKEN, "kind": "trigger", "user": "bob", "project": "group/app"})
    made["projects"][0]["members"]["bob"] = "developer"
    return made


def branches_world() -> World:
    """Return a world with one active pipeline of main, and two active and one finished pipeline of another branch."""
    made = world({**BUILD, "duration": 100000}, ref="main")
    (main,) = made["pipelines"]
    feature = {**main, "ref": "feature"}
    made["pipelines"] += [feature, feature, {**feature, "jobs": [{**BUILD, "status": "success"}]}]
    return made


SHAKY: Job = {"attempts": [{"outcome": "failed", "failure_reason": "runner_system_failure"}, {"outcome": "success"}]}


RELEASED = ("play deploy:prod",)

GUIDES: tuple[Guide, ...] = (
    Guide(
        "first_gate", "Deploy version 1.2.0 to staging", scenario_of("first_gate"), ("play deploy:staging",), changes=1
    ),
    Guide(
        "first_gate",
        "Release version 1.2.0",
        scenario_of("first_gate"),
        ("play deploy:staging", "play deploy:prod"),
        changes=1,
        files=("v1.2.0.json", "v1.2.0.html"),
    ),
    Guide(
        "from_uri",
        "Deploy with uri",
        world({**BUILD, "status": "success"}, DEPLOY, ref="main"),
        RELEASED,
        # the guide warns of this second deployment
        again=RELEASED,
        shows_token=True,
        has_check_mode=False,
    ),
    Guide("from_uri", "Deploy with the collection", world(BUILD, DEPLOY, ref="main"), RELEASED, changes=1),
    Guide(
        "from_uri",
        "Deploy with the collection",
        world(BUILD, DEPLOY, ref="main"),
        RELEASED,
        changes=1,
        faults=(
            {"kind": "reset_after", "path": "/play$", "times": 1},
            {"kind": "html", "nth": [2, 5], "method": "GET"},
        ),
    ),
    Guide(
        "from_uri",
        "Wait for a deployment that someone else plays",
        world(BUILD, {**DEPLOY, "status": "running", "user": "bob"}, ref="main"),
        output=("deploy:prod was played by bob",),
        has_check_mode=False,
    ),
    Guide(
        "manual_jobs",
        "Play an optional job, then deploy",
        world({"name": "warm-caches", "stage": "build", "when": "manual", "outcome": "failed"}, DEPLOY),
        ("play warm-caches", "play deploy:prod"),
        again=("play warm-caches",),
        changes=2,
        changes_again=1,
    ),
    Guide(
        "manual_jobs",
        "Run a load test with a time limit",
        world({"name": "load-test", **MANUAL}),
        ("play load-test",),
        changes=1,
    ),
    Guide(
        "manual_jobs",
        "Run a load test with a time limit",
        world({"name": "load-test", **MANUAL, "duration": 100000}),
        ("play load-test", "cancel load-test"),
        extra_vars={"seconds": 2},
        output=("load-test",),
        has_check_mode=False,
    ),
    Guide(
        "run_pipelines",
        "Run the integration tests",
        run_world(REPORT),
        ("create_pipeline group/app",),
        again=("create_pipeline group/app",),
        changes=2,
        # the downloaded report is unchanged
        changes_again=1,
        changes_checked=1,
        output=("212 tests have passed on staging",),
        files=("report.env",),
    ),
    Guide(
        "run_pipelines",
        "Run the tests, and show what failed",
        run_world({"name": "unit", "stage": "test", "outcome": "failed", "log": "adds failed\n", "duration": 5}),
        ("create_pipeline group/app",),
        again=("create_pipeline group/app",),
        # check mode does not know that the pipeline will fail
        changes_checked=1,
        output=("test/unit", "script_failure", "adds failed"),
    ),
    Guide(
        "run_pipelines",
        "Deploy the commit that was tested",
        run_world(),
        ("create_pipeline group/app",),
        changes=1,
        faults=({"kind": "reset_after", "path": "/pipeline$", "times": 1},),
    ),
    Guide(
        "run_pipelines",
        "Start a pipeline, and play the job at which it stops",
        run_world(DEPLOY),
        ("create_pipeline group/app", "play deploy:prod"),
        changes=2,
        changes_checked=1,
    ),
    Guide(
        "run_pipelines",
        "Cancel every pipeline of a branch",
        branches_world(),
        ("cancel_pipeline group/app", "cancel_pipeline group/app"),
        changes=1,
    ),
    Guide(
        "run_pipelines",
        "Release two projects, one after the other",
        run_world(DEPLOY),
        ("create_pipeline group/app", "play deploy:prod", "create_pipeline group/smoke-tests"),
        changes=1,
    ),
    Guide(
        "run_pipelines",
        "Retry the newest pipeline of main if it has failed",
        run_world(status="failed", attempts=[{"outcome": "success"}]),
        ("retry_pipeline group/app",),
        changes=1,
    ),
    Guide(
        "run_pipelines",
        "Start a pipeline with a trigger token",
        run_world(),
        ("trigger_pipeline group/app",),
        changes=1,
        environment={"APP_TRIGGER_TOKEN": TRIGGER_TOKEN},
    ),
    Guide(
        "in_process",
        "Check the tests, and take the release through its gates",
        world(BUILD, {"name": "test:unit", "stage": "test", "duration": 10}, DEPLOY),
        RELEASED,
        changes=1,
        has_check_mode=False,
    ),
    Guide("manual_jobs", "Deploy with variables", world(BUILD, DEPLOY), RELEASED, changes=1),
    Guide("manual_jobs", "Deploy after the approvals", world(BUILD, DEPLOY), RELEASED, changes=1),
    Guide(
        "manual_jobs",
        "Deploy after the approvals",
        # after the approval GitLab starts the job itself, and the task finds it active
        world(BUILD, {**DEPLOY, "deployment": {"approval": "waiting"}}),
        approve="deploy:prod",
        extra_vars={"pause": 1},
        output=("waits for approvals of its deployment 1 to 'production': 1 of those who may deploy",),
        has_check_mode=False,
    ),
    Guide(
        "manual_jobs",
        "Deploy after the approvals",
        protected_world(BUILD, DEPLOY),
        RELEASED,
        changes=1,
        approve="deploy:prod",
        extra_vars={"pause": 1},
        output=("waits for approvals of its deployment 1 to 'production': 1 of Maintainers", "-> pending (played)"),
        has_check_mode=False,
    ),
    Guide(
        "manual_jobs",
        "Approve a deployment that passed the checks of the operators",
        protected_world({**BUILD, "status": "success"}, {**DEPLOY, "user": "bob"}),
        ("approve deploy:prod",),
        changes=1,
    ),
    Guide(
        "manual_jobs",
        "Deploy, with a second attempt after a runner failure",
        world(BUILD, {**DEPLOY, **SHAKY}),
        ("play deploy:prod", "retry deploy:prod"),
        changes=1,
    ),
    Guide(
        "manual_jobs",
        "Retry only the jobs that failed because of the runner",
        world(
            {
                **BUILD,
                "status": "failed",
                "failure_reason": "runner_system_failure",
                "attempts": [{}, *SHAKY["attempts"]],
            },
            {"name": "test", "status": "failed", "failure_reason": "script_failure"},
        ),
        ("retry build", "retry build"),
        changes=1,
    ),
    Guide(
        "downstream_pipelines",
        "Apply the infrastructure, then wait for the smoke test",
        downstream_world(),
        ("play apply",),
        changes=1,
    ),
    Guide(
        "downstream_pipelines",
        "Stop unless all downstream pipelines succeed",
        applied_world(),
        changes=1,
        files=("pipelines.mmd",),
        output=("trigger:infra: ", "trigger:smoke: login"),
        has_check_mode=False,
    ),
    Guide(
        "downstream_pipelines",
        "Start the smoke tests by hand",
        downstream_world(when="manual", needs=[]),
        ("play trigger:smoke",),
        changes=1,
        has_check_mode=False,
    ),
    Guide("hand_over", "Use the output of the build", hand_over_world(), RELEASED, changes=1),
    Guide(
        "hand_over",
        "Fetch the package that was tested",
        hand_over_world(),
        changes=3,
        changes_checked=1,
        files=("packages/app.tar.gz", "packages/build.log"),
    ),
    Guide(
        "hand_over",
        "Save the test report",
        hand_over_world(),
        changes=2,
        changes_checked=1,
        files=("reports/junit.xml.gz",),
    ),
    Guide("hand_over", "Look for warnings in a log", hand_over_world(), output=("WARNING: old compiler",)),
    Guide("hand_over", "Keep the artifacts of a release", hand_over_world(), ("keep_artifacts build",), changes=1),
    Guide(
        "large_releases",
        "Release every service",
        large_world(),
        ("play deploy:prod", "play deploy:prod"),
        changes=1,
        output=("requests, paced for 0.0 s",),
        has_check_mode=False,
    ),
    Guide("awx_and_ci", "Deploy a release", world(BUILD, DEPLOY), RELEASED, changes=1),
    Guide(
        "awx_and_ci",
        "Release from a CI job",
        ci_world(),
        RELEASED,
        changes=2,
        files=("notes.md",),
        environment={"CI_JOB_TOKEN": JOB_TOKEN, "CI_PROJECT_ID": "1", "CI_PIPELINE_ID": "6"},
    ),
    Guide(
        "awx_and_ci",
        "Release with files for GitLab",
        world(BUILD, DEPLOY),
        RELEASED,
        changes=1,
        files=("v1.2.0.json", "gates.md", "gates.xml"),
        output=("v1.1.0.json' does not exist, so there is nothing to compare with",),
    ),
    Guide(
        "testing_playbooks",
        "Deploy",
        scenario_of("testing_playbooks"),
        ("play deploy:prod", "retry deploy:prod"),
        changes=1,
    ),
    Guide(
        "extending",
        "Release under the rules of a change freeze",
        # the play does not wait until the job can be played
        world(DEPLOY),
        RELEASED,
        changes=1,
        replaced={"2026-12-28": "2000-01-01", "/var/log/gitlab-actions.jsonl": "FOLDER/actions.jsonl"},
        files=("actions.jsonl",),
    ),
)

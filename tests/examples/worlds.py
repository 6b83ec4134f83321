# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The world in which the EXAMPLES of the plugins run, and the variants that some of them need."""

from __future__ import annotations

import copy
import typing as t

from .server import JOB_TOKEN, OAUTH_TOKEN, TOKEN, TRIGGER_TOKEN, World

RELEASE_COMMIT = "5ca1ab1e" * 5
RELEASE_BUILD = 70
OTHER_COMMIT = "0ddba115" * 5
Job = dict[str, t.Any]

DONE = {"status": "success"}
MANUAL = {"when": "manual", "allow_failure": False, "duration": 20}

BUILD_FILES = {
    "build.env": "VERSION=1.2.0\nIMAGE=registry.example.com/app:1.2.0\n",
    "config/settings.yml": "workers: 4\nregions: [eu, us]\n",
    "config/app.yml": "log_level: info\n",
    "dist/app-1.2.0.tar.gz": "the application\n",
}


# The first version that sends single reports.
SENDS_REPORTS = "19.4"

# The jobs of new pipelines.
NEW = {"jobs": [{"name": "build", "duration": 5}, {"name": "test", "stage": "test", "duration": 5}]}
INPUTS = {
    "environment": {"options": ["staging", "production"], "default": "staging"},
    "replicas": {"type": "number", "default": 1},
    "verbose": {"type": "boolean", "default": False},
    "regions": {"type": "array", "default": []},
}


def project(path: str, **more: t.Any) -> dict[str, t.Any]:
    return {"path": path, "members": {"alice": "maintainer"}, "new_pipelines": {"*": NEW}, **more}


def build(**more: t.Any) -> Job:
    return {
        "name": "build",
        "stage": "build",
        **DONE,
        "artifacts": {"files": BUILD_FILES, "expire_in": 86400},
        **more,
    }


def trigger(name: str, path: str | None, *jobs: Job, **more: t.Any) -> Job:
    """Return a trigger job; without a path, it starts a child pipeline."""
    pipeline = {"ref": "main", "jobs": list(jobs)}
    target = {"project": path} if path else {}
    return {
        "name": name,
        "stage": "downstream",
        "trigger": {**target, "strategy": "depend", "pipeline": pipeline},
        **more,
    }


def main_jobs() -> list[Job]:
    """Return the jobs of the newest pipeline of main, id 6."""
    return [
        build(),
        {"name": "test: [py311, linux]", "stage": "test", **DONE, "retried": 1},
        {"name": "test: [py312, linux]", "stage": "test", **DONE},
        {"name": "test:lint", "stage": "test", **DONE},
        {"name": "integration", "stage": "test", "queue": 0, "duration": 15, "needs": []},
        {
            "name": "coverage",
            "stage": "test",
            **DONE,
            "artifacts": {
                "files": {
                    "coverage.json": '{"totals": {"percent_covered": 91.5}}',
                    "public/coverage/index.html": "<p>91.5</p>",
                    "public/coverage/css/style.css": "p {}",
                }
            },
        },
        {"name": "scan:1", "stage": "test", **DONE},
        {"name": "scan:2", "stage": "test", **DONE},
        {
            "name": "culprit",
            "id": 42,
            "stage": "test",
            "status": "failed",
            "allow_failure": True,
            "log": "$ make\nWARNING: old compiler\nit broke\nERROR: Job failed: exit code 1\n",
            "artifacts": {"files": {"dist/app": "test"}, "when": "always"},
        },
        {"name": "deploy:staging", "stage": "deploy", "needs": [], **MANUAL, "environment": "staging"},
        {"name": "deploy:prod", "stage": "deploy", "needs": [], **MANUAL, "environment": "production"},
        {"name": "load-test", "stage": "deploy", "needs": [], **MANUAL},
        {
            "name": "smoke-test",
            "stage": "deploy",
            "needs": [],
            **MANUAL,
            "inputs": {"browser": {"options": ["firefox", "chromium"]}},
        },
        trigger(
            "trigger:infra",
            None,
            {"name": "plan", **DONE, "artifacts": {"files": {"plan.json": "{}"}}},
            {"name": "apply", **MANUAL},
            needs=[],
        ),
        trigger("trigger:docs", "group/docs", {"name": "publish", "duration": 10}, needs=[]),
        trigger("deploy:eu", "group/infra", {"name": "roll-out", "duration": 5}, needs=[]),
    ]


def pipelines() -> list[dict[str, t.Any]]:
    tests = ({"name": name, "stage": "test", "duration": 5} for name in ("test:unit", "integration"))
    old = {**DONE, "stage": "test", "artifacts": {"files": {"report.txt": "old"}}}
    return [
        {
            "id": 5,
            "ref": "main",
            "sha": OTHER_COMMIT,
            "created_ago": 86400,
            "jobs": [build(), {**old, "name": "test:1"}],
        },
        {"id": 6, "ref": "main", "sha": RELEASE_COMMIT, "jobs": main_jobs()},
        {
            "id": 7,
            "ref": "v1.2.0",
            "tag": True,
            "sha": RELEASE_COMMIT,
            "jobs": [
                build(id=RELEASE_BUILD),
                {"name": "test: [py311, linux]", "stage": "test", "duration": 5},
                {"name": "test: [py312, linux]", "stage": "test", "duration": 5},
                {"name": "deploy:prod", "stage": "deploy", **MANUAL, "environment": "production"},
                trigger("trigger:docs", "group/docs", {"name": "publish", "duration": 5}, needs=["build"]),
            ],
        },
        {
            "id": 8,
            "ref": "nightly",
            "jobs": [
                {"name": "soak-test", "duration": 30},
                {"name": "image", **DONE, "artifacts": {"size": 3000000}},
            ],
        },
        {
            "id": 9,
            "merge_request": 17,
            "jobs": [
                {**next(tests), "allow_failure": True, "outcome": "failed"},
                next(tests),
                {
                    "name": "test: [py311, linux]",
                    "stage": "test",
                    **DONE,
                    "artifacts": {"files": {"junit.xml": "<a/>"}},
                },
                {"name": "review:security", "stage": "review", "needs": [], "when": "manual"},
                {"name": "review:style", "stage": "review", "needs": [], "when": "manual"},
                trigger("trigger:preview", "group/docs", {"name": "preview"}, needs=[], when="manual"),
            ],
        },
        {"id": 10, "project": "group/docs", "ref": "main", "jobs": [{"name": "publish", "duration": 5}]},
        *({"id": number, "project": "group/old-app", "ref": "main", "jobs": [build()]} for number in (11, 13)),
        # the pipeline that runs the playbooks with a job token
        {
            "id": 12,
            "ref": "v1.3.0",
            "tag": True,
            "jobs": [
                build(),
                {"name": "release", "stage": "test", "queue": 0, "duration": 100000, "environment": "production"},
                trigger("trigger:docs", "group/docs", {"name": "publish", "duration": 5}, needs=["build"]),
            ],
        },
    ]


def common_world() -> World:
    """Return the world of all examples that do not need another one."""
    agents = [{"id": 2, "environments": ["production"], "configuration": {"default_namespace": "shop"}}]
    rows = [{"project": "group/app", "user": "alice", **pipeline} for pipeline in pipelines()]
    return {
        "version": "19.2",
        "users": ["alice"],
        "tokens": [
            {"token": TOKEN, "user": "alice"},
            {"token": OAUTH_TOKEN, "user": "alice", "kind": "oauth"},
            {"token": JOB_TOKEN, "kind": "job", "job": "release"},
            {"token": TRIGGER_TOKEN, "kind": "trigger", "user": "alice", "project": "group/app"},
        ],
        "projects": [
            project("group/app", id=1, agents=agents),
            project("group/docs"),
            project("group/infra"),
            project("group/old-app"),
        ],
        "pipelines": rows,
    }


def new_world(*, docs: t.Sequence[Job] = (), duration: int = 5, inputs: bool = False) -> World:
    """Return the common world with other jobs in new pipelines.

    :param docs: the jobs after the build in new pipelines of group/docs.
    :param duration: the duration of each job in new pipelines of group/app.
    :param inputs: whether the configuration of group/app declares inputs.
    """
    world = common_world()
    jobs = [{**job, "duration": duration} for job in NEW["jobs"]]
    world["projects"][0]["new_pipelines"] = {"*": {"jobs": jobs, **({"inputs": INPUTS} if inputs else {})}}
    world["projects"][1]["new_pipelines"] = {"*": {"jobs": [NEW["jobs"][0], *docs]}}
    world["projects"][2]["job_token_allowlist"] = ["group/app"]
    return world


def broken_world() -> World:
    """Return the common world with a branch whose pipelines always fail."""
    world = common_world()
    jobs = [{"name": "build", "status": "failed", "attempts": [{"outcome": "failed"}]}]
    world["pipelines"].append({"id": 20, "project": "group/app", "user": "alice", "ref": "broken", "jobs": jobs})
    return world


def changed_world(jobs: t.Mapping[str, Job], world: World | None = None) -> World:
    """Return a world with changed fields of jobs.

    :param jobs: fields by `PIPELINE:NAME`, such as `6:deploy:prod`.
    """
    world = copy.deepcopy(world or common_world())
    for key, fields in jobs.items():
        pipeline_id, _colon, name = key.partition(":")
        pipeline = next(row for row in world["pipelines"] if row["id"] == int(pipeline_id))
        next(job for job in pipeline["jobs"] if job["name"] == name).update(fields)
    return world


def settled_world() -> World:
    """Return the common world after all manual jobs have succeeded."""
    world = common_world()
    for pipeline in world["pipelines"]:
        for job in pipeline["jobs"]:
            if job.get("when") == "manual" and "trigger" not in job:
                job["status"] = "success"
            for inner in job.get("trigger", {}).get("pipeline", {}).get("jobs", ()):
                inner["status"] = "success"
    return world


def gate_world() -> World:
    """Return the world of a release in which new pipelines of the application have a deployment job."""
    world = release_world()
    jobs = [{**NEW["jobs"][0], "stage": "build"}, NEW["jobs"][1], {"name": "deploy", "stage": "deploy", **MANUAL}]
    world["projects"][0]["new_pipelines"] = {"*": {"jobs": jobs, "inputs": INPUTS}}
    return world


def infra_world() -> World:
    """Return a world in which pipeline 6 belongs to group/infra, and the application has merge request 12."""
    world = common_world()
    world["pipelines"] = [row for row in world["pipelines"] if row["id"] in (7, 12)]
    jobs = [{"name": "apply", **DONE}]
    rows = [
        {"id": 6, "project": "group/infra", "ref": "main", "jobs": jobs},
        {
            "id": 20,
            "project": "group/app",
            "merge_request": 12,
            "jobs": [build(), {"name": "test:unit", "stage": "test"}],
        },
    ]
    world["pipelines"] += rows
    world["projects"][2]["job_token_allowlist"] = ["group/app"]
    staging = {"name": "deploy:staging", "stage": "deploy", **DONE}
    released = {"name": "deploy:prod", "stage": "deploy", **DONE}
    world["pipelines"].append(
        {"id": 21, "project": "group/app", "ref": "v1.2.0", "tag": True, "jobs": [staging, released]}
    )
    return world


def report_world() -> World:
    """Return the common world on a server that sends single reports, in which failed tests have left a report."""
    tests = {"status": "failed", "allow_failure": True, "artifacts": {"reports": ["junit"], "when": "always"}}
    return {**changed_world({"6:integration": tests}), "version": SENDS_REPORTS}


def approval_world(*, waiting: tuple[int, ...] = (7,)) -> World:
    """Return the common world with production protected, in which bob has started the deployments.

    :param waiting: the pipelines whose deployment to production waits for approvals; the others are finished.
    """
    world = common_world()
    world["users"].append("bob")
    world["projects"][0] |= {
        "members": {"alice": "maintainer", "bob": "developer"},
        "protected_environments": {
            "production": {"rules": [{"role": "maintainer"}]},
            "preview": {"rules": [{"role": "maintainer"}]},
        },
    }
    tested = {"test: [py311, linux]": DONE, "test: [py312, linux]": DONE}
    for pipeline in world["pipelines"]:
        for job in pipeline["jobs"]:
            if pipeline["id"] == 7:
                job.update(tested.get(job["name"], {}))
            if job["name"] == "release":  # it also deploys to production
                job["status"] = "running"
            if job["name"] == "deploy:prod":
                job["user"] = "bob"
                job.update({"id": 90} if pipeline["id"] == 7 else {})
                job.update({} if pipeline["id"] in waiting else DONE)
    review = next(row for row in world["pipelines"] if row["id"] == 9)
    review["jobs"].append({"name": "preview:app", "stage": "review", "needs": [], **MANUAL, "environment": "preview"})
    review["jobs"][-1]["user"] = "bob"
    return world


def release_world() -> World:
    """Return a world with an infrastructure to apply, and a tag with a flaky test."""
    world = common_world()
    # without main, whose pipeline would start a newer pipeline of the infrastructure
    world["pipelines"] = [row for row in world["pipelines"] if row["id"] in (7, 12)]
    world["pipelines"].append(
        {"id": 20, "project": "group/infra", "ref": "main", "jobs": [{"name": "apply", **MANUAL}]}
    )
    attempts = [{"outcome": "failed", "failure_reason": "runner_system_failure"}, {"outcome": "success"}]
    tag = next(row for row in world["pipelines"] if row["id"] == 7)
    tag["jobs"].insert(3, {"name": "integration", "stage": "check", "attempts": attempts})
    return world

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What single EXAMPLES of the plugins need in addition to the common world, and their expected results."""

from __future__ import annotations

import dataclasses
import typing as t

from .server import World
from .worlds import (
    DONE,
    MANUAL,
    RELEASE_BUILD,
    Job,
    approval_world,
    broken_world,
    gate_world,
    infra_world,
    new_world,
    release_world,
    report_world,
    settled_world,
    trigger,
)


@dataclasses.dataclass(frozen=True)
class Need:
    """One row of the table of needs.

    :param effects: expected changes on the server; None for any change, if the example acts on jobs.
    :param changed: names of the tasks that report a change; None for tasks that act on jobs or write a file.
    :param again: whether the second run repeats all changes.
    :param jobs: fields of jobs that differ from the common world, by `PIPELINE:NAME`.
    :param sha256_of: id of the job whose archive has the checksum `release_sha256`.
    :param without: options that are removed because they need a specially prepared machine.
    :param world: function that returns a world to use instead of the common one.
    """

    effects: tuple[str, ...] | None = None
    changed: tuple[str, ...] | None = None
    again: bool = False
    jobs: t.Mapping[str, Job] = dataclasses.field(default_factory=dict)
    sha256_of: int | None = None
    without: tuple[str, ...] = ()
    world: t.Callable[[], World] | None = None


COMMON = Need()

SUCCEEDS = [{"outcome": "success"}]
BROKEN = {"status": "failed", "attempts": SUCCEEDS}
SETTLED = Need(world=settled_world)
CREATES = "create_pipeline group/app"
APPROVALS = Need(world=approval_world)
APPROVED = Need(world=approval_world, effects=("approve deploy:prod",))
RELEASED = {"7:deploy:prod": {**DONE, "when": "manual"}}

# the manual job of the child pipeline of main has already been played
APPLIED = {"6:trigger:infra": trigger("trigger:infra", None, {"name": "apply", **DONE}, needs=[])}

NEEDS: dict[str, Need] = {
    # gitlab_job_action
    "Deploy to staging and wait until the job succeeds": Need(effects=("play deploy:staging",)),
    "Deploy a release to production after its tests, with the version as a variable": Need(
        effects=("play deploy:prod",)
    ),
    "Cancel unneeded test jobs, if any are listed": Need(effects=(), changed=()),
    "Start the deployment again if it failed or was canceled last time": Need(
        effects=("play deploy:prod",), jobs={"6:deploy:prod": BROKEN}
    ),
    "Play a job with inputs and wait until it starts": Need(effects=("play smoke-test",)),
    "Retry a flaky job after runner faults, up to three attempts in total": Need(
        effects=("retry integration",),
        jobs={"6:integration": {**BROKEN, "failure_reason": "runner_system_failure"}},
    ),
    "Retry two jobs of a matrix": Need(
        effects=("retry test: [py311, linux]", "retry test: [py312, linux]"),
        jobs={"6:test: [py311, linux]": {**BROKEN, "retried": 0}, "6:test: [py312, linux]": BROKEN},
    ),
    "Run a successful scan again": Need(effects=("retry scan:2",), again=True),
    "Apply the infrastructure in a child pipeline": Need(effects=("play apply",)),
    "Play all review jobs and return only a few fields of each": Need(
        effects=("play review:security", "play review:style")
    ),
    "Play the review jobs of a merge request, and ignore allowed failures": Need(
        effects=("play review:security", "play review:style")
    ),
    "Cancel all waiting jobs of the deploy stage": Need(
        effects=("cancel deploy:staging", "cancel deploy:prod", "cancel load-test", "cancel smoke-test")
    ),
    "Play a long job and cancel it if it has not ended after half an hour": Need(effects=("play load-test",)),
    "Erase a job that has printed a secret": Need(effects=("erase culprit",)),
    "Keep the artifacts of a release": Need(effects=("keep_artifacts build",)),
    "Delete the artifacts of old test jobs, but keep their logs": Need(effects=("delete_artifacts test:1",)),
    "Delete all artifacts of an inactive project": Need(again=True),
    "Release with a change freeze extension, on a self-managed server": Need(
        effects=("play deploy:prod",), changed=("Deploy",)
    ),
    "Play a job on a test server, without repeating failed requests": Need(effects=("play deploy:staging",)),
    # gitlab_job_info
    "Wait for the jobs of a merge request, and ignore allowed failures": SETTLED,
    "Wait for two projects on the same server": SETTLED,
    "Wait for the tests of a commit before its deployment": SETTLED,
    "Wait until a child pipeline has applied the infrastructure": Need(jobs=APPLIED),
    # gitlab_pipeline
    "Start a pipeline of main and wait until it has succeeded": Need(effects=(CREATES,), again=True),
    "Run the tests of main with variables, and continue whether they pass or fail": Need(
        effects=(CREATES,), again=True
    ),
    "Deploy the commit that was tested, with variables, unless it is already deployed": Need(effects=(CREATES,)),
    "Always start a pipeline with inputs, and do not wait for it": Need(
        world=lambda: new_world(inputs=True), effects=(CREATES,), again=True
    ),
    "Start a pipeline with a trigger token, and wait for it with another token": Need(
        effects=("trigger_pipeline group/app",), again=True
    ),
    "Start the pipeline of the documentation, and continue when it can be published": Need(
        world=lambda: new_world(docs=[{"name": "publish", "stage": "deploy", **MANUAL}]),
        effects=("create_pipeline group/docs",),
    ),
    "Retry the failed jobs of a merge request": Need(
        effects=("retry_pipeline group/app",), jobs={"9:test:unit": DONE, "9:integration": BROKEN}
    ),
    "Retry the pipeline of a push, and accept any result": Need(
        world=broken_world, effects=("retry_pipeline group/app",), again=True
    ),
    "Cancel a pipeline": Need(effects=("cancel_pipeline group/app",), jobs={"6:integration": {"duration": 100_000}}),
    "Cancel a nightly test that has not ended after two hours": Need(effects=(CREATES,), again=True),
    "Start a pipeline on a self-managed server": Need(world=lambda: new_world(duration=100_000), effects=(CREATES,)),
    "Start a pipeline on a test server": Need(world=lambda: new_world(duration=100_000), effects=(CREATES,)),
    "Start a pipeline of another project from a CI job": Need(
        world=new_world, effects=("trigger_pipeline group/infra",), again=True
    ),
    # gitlab_pipeline_info
    "Wait until the pipeline of this commit has succeeded": SETTLED,
    "Wait ten minutes for a pipeline, and continue in any case": SETTLED,
    # gitlab_pipeline_bridges
    "Wait for the infrastructure pipeline, and fail if it fails": Need(jobs=APPLIED),
    "Wait for the downstream pipelines of two projects on the same server": Need(jobs=APPLIED),
    # gitlab_job_download
    "Download the artifacts of the newest successful build of a release": Need(jobs=RELEASED),
    "Download one file from the build of a commit": Need(without=("owner", "group")),
    "Download the test report, which is called junit.xml.gz": Need(world=report_world),
    "Download the archive even if its checksum fits, and set SELinux context and attributes": Need(
        jobs=RELEASED, sha256_of=RELEASE_BUILD, without=("attributes",)
    ),
    # GitLab finds a job by ref only in successful pipelines
    "Download a large archive from a self-managed server": Need(jobs={"8:soak-test": DONE}),
    # gitlab_job
    "Show the status of a job whose name is a number": Need(jobs={"6:scan:1": {"name": "404"}}),
    # gitlab_deployment_info
    "See who still has to approve the deployment of a release": APPROVALS,
    "List the blocked deployments to production": APPROVALS,
    "See what a job deploys": APPROVALS,
    "See which manual jobs of a pipeline deploy, and where": APPROVALS,
    # gitlab_deployment_approval
    "Approve the deployment of a release after our own checks": APPROVED,
    "Approve the deployment that waits for production": APPROVED,
    "Approve one deployment on behalf of a role": APPROVED,
    "Reject the deployment of a job": Need(world=approval_world, effects=("reject deploy:prod",)),
    "Approve the deployment of this commit": APPROVED,
    "Approve the deployment of a pipeline or its child pipelines": APPROVED,
    "Reject the preview of a merge request, if there is one": Need(
        world=approval_world, effects=("reject preview:app",)
    ),
    "Approve on a self-managed server": APPROVED,
    "Approve on a test server without verifying its certificate": APPROVED,
    # gitlab_release_gate
    "Deploy an application after its infrastructure": Need(
        world=release_world, effects=("play apply", "retry integration", "play deploy:prod")
    ),
    "Start the pipeline of an application after that of its infrastructure has passed": Need(
        world=gate_world, effects=("play apply", CREATES, "play deploy")
    ),
    "Start a pipeline with inputs as a gate": Need(world=gate_world, effects=(CREATES,), again=True),
    "Wait for the pipeline of a merge request on a server with a private CA": Need(world=infra_world),
    "Verify a pipeline with a job token, which can only read": Need(world=infra_world),
    "Verify that a release is complete, without waiting for anything": Need(world=infra_world),
    "Wait for a long deployment, and poll when a hook arrives": Need(world=infra_world),
}

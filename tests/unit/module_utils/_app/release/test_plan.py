# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a release: the order of its projects, and errors that are found before anything begins."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.pipelines.query import PipelineQuery
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.release.plan import Gate, ProjectPlan, make_plan

DEPLOY = (Gate(("deploy",), "play"),)


def project(name, *, needs=(), gates=DEPLOY, **pipeline):
    return ProjectPlan(name, PipelineQuery("group/app", **(pipeline or {"ref": "main"})), gates, needs)


def test_projects_keep_the_given_order():
    projects = [
        project("site", needs=("app", "infra")),
        project("infra"),
        project("app", needs=("infra",)),
        project("x"),
    ]
    assert [plan.name for plan in make_plan(projects, "collect").projects] == ["site", "infra", "app", "x"]


@pytest.mark.parametrize(
    ("projects", "words"),
    [
        ([], "the release has no projects; add at least one with a gate"),
        ([project("a"), project("a")], "two projects are called 'a'; give each project a unique name"),
        ([project("a", gates=())], "project 'a' has no gates"),
        ([project("a", needs=("a",))], "the needs of the projects form a cycle: a needs a"),
        ([project("infra"), project("a", needs=("infar",))], "needs 'infar', .* did you mean 'infra'?"),
        ([project("x"), project("a", needs=("infra",))], "which is not one of the projects: there are 'a', 'x'"),
        (
            [project("z"), project("a", needs=("b",)), project("b", needs=("c", "z")), project("c", needs=("a",))],
            "cycle: (a needs b needs c needs a|b needs c needs a needs b|c needs a needs b needs c)$",
        ),
        ([project("a", ref=None)], "specifies no pipeline; set one of ref, sha, merge_request or pipeline_id"),
        ([project("a", ref="main", pipeline_id=6)], "specifies more than one pipeline"),
        ([project("a", gates=(Gate((), "play"),))], "gate 1 of project 'a' selects no jobs; set name or stage"),
        ([project("a", gates=(Gate(("x",), "play", require="playable"),))], "playable cannot be used with play"),
        (
            [project("a", gates=(Gate(("x",), "retry", require="started"),))],
            "require started cannot be used with retry",
        ),
    ],
)
def test_invalid_plan_is_refused(projects, words):
    with pytest.raises(UsageError, match=words):
        make_plan(projects, "fail_fast")


@pytest.mark.parametrize(
    ("names", "given", "expected"),
    [
        (("deploy",), None, False),
        (("trigger/deploy",), None, True),
        (("deploy",), True, True),
        (("a/b",), False, False),
    ],
)
def test_path_in_a_name_includes_downstream_pipelines(names, given, expected):
    assert Gate(names, "wait", downstream=given).include_downstream is expected


def test_gate_title_lists_its_jobs_or_stages():
    assert Gate(("a", "b"), "wait").title == "a, b"
    assert Gate((), "wait", stages=("test",)).title == "stage test"

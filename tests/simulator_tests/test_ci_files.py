# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test golden files: our own `.gitlab-ci.yml` files make the pipelines that GitLab's documentation describes.

Each folder of ci_files is a case: the file, and pipelines.yml with the page of the documentation, the reason, and a
line for each job. They are written by hand, from the documentation.
"""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import pytest
import yaml

from tests.simulator.ci.context import Context
from tests.simulator.ci.project_file import Made, ProjectFile

CASES = pathlib.Path(__file__).with_name("ci_files")
_BASE = Context(project="group/project", project_id=1, ref="main", tag=False, source="push", sha="0" * 40)
CONTEXTS: dict[str, Context] = {
    "branch": dataclasses.replace(_BASE, is_protected=True),
    "tag": dataclasses.replace(_BASE, ref="v1.0.0", tag=True),
    "merge_request": dataclasses.replace(_BASE, ref="feature", source="merge_request_event", merge_request=7),
    "schedule": dataclasses.replace(_BASE, source="schedule", is_protected=True),
    "feature": dataclasses.replace(_BASE, ref="feature"),
}
KINDS = ("branch", "tag", "merge_request", "schedule")


def read(name: str) -> dict[str, t.Any]:
    found = yaml.safe_load((CASES / name / "pipelines.yml").read_text(encoding="utf-8"))
    return t.cast("dict[str, t.Any]", found)


def file_of(folder: pathlib.Path) -> pathlib.Path:
    return next(folder.glob(".gitlab-ci.*"))


def case_names() -> list[str]:
    return sorted(path.name for path in CASES.iterdir() if path.is_dir())


def pipeline_of_other_project(path: str, branch: str | None, above: Context) -> Made | None:
    """Return the pipeline of another project. There is one project, and its job shows the branch."""
    job = {"name": f"{path} {branch or 'main'}", "stage": "test"}
    return Made(jobs=[job], stages=["test"]) if path == "group/other" else None


def make(name: str, context: Context) -> Made:
    folder = CASES / name
    files = read(name).get("files")
    given = ProjectFile(file_of(folder), folder, None if files is None else tuple(files), {}, {})
    return given.make(context, pipeline_of_other_project)


def line(row: dict[str, t.Any]) -> str:
    """Return a job in the form that the golden files use."""
    parts = [row["stage"], row["name"]]
    if row["when"] == "delayed":
        parts.append(f"delayed {row['start_in']:g}")
    elif row["when"] != "on_success":
        parts.append(row["when"])
    parts += ["may fail"] if row["allow_failure"] else []
    parts += [f"{word} {row[key]}" for key, word in (("environment", "env"), ("resource_group", "group")) if key in row]
    reasons = f" on {', '.join(row['retry_when'])}" if "retry_when" in row else ""
    parts += [f"retry {row['retry']}{reasons}"] if row.get("retry") else []
    parts += [f"tags {', '.join(row['tags'])}"] if "tags" in row else []
    if "needs" in row:
        parts.append(f"needs {', '.join(row['needs']) or 'nothing'}")
    trigger = row.get("trigger")
    if trigger:
        parts += [trigger["strategy"]] if "strategy" in trigger else []
        below = "; ".join(job["name"] for job in trigger.get("pipeline", {}).get("jobs", []))
        kind = "to" if "project" in trigger else "child"
        parts.append(f"fails {trigger['creation_fails']}" if "creation_fails" in trigger else f"{kind} {below}")
    return " | ".join(parts)


def summary(made: Made) -> t.Any:
    if made.yaml_errors:
        return f"error: {made.yaml_errors}"
    if made.refused:
        return made.refused
    lines = [line(row) for row in made.jobs]
    return lines if made.name is None else {"name": made.name, "jobs": lines}


CASES_AND_KINDS = [(name, kind) for name in case_names() for kind in read(name)["pipelines"]]


@pytest.mark.parametrize(("name", "kind"), CASES_AND_KINDS)
def test_pipeline_matches_the_documentation(name: str, kind: str) -> None:
    assert summary(make(name, CONTEXTS[kind])) == read(name)["pipelines"][kind]


def test_every_case_has_all_kinds_a_page_and_a_reason() -> None:
    assert len(case_names()) >= 30
    for name in case_names():
        case = read(name)
        assert set(KINDS) <= case["pipelines"].keys(), name
        assert case["page"].startswith("https://docs.gitlab.com/ci/") and case["why"], name

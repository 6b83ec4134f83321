# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command-line options for a `.gitlab-ci.yml`, and the scenario they create."""

from __future__ import annotations

import argparse
import pathlib
import typing as t

import yaml

from . import option_types, schema
from .ci.context import MERGE_REQUEST, Context
from .ci.project_file import Made, ProjectFile
from .model import SOURCES
from .reading import read_mapping, read_text
from .scenario import World, read_scenario
from .schema import ScenarioError

Row = dict[str, t.Any]

TOKEN: t.Final = "simulator-token"
_USER: t.Final = "alice"
_PROJECT: t.Final = "group/project"
_BRANCH: t.Final = "main"
_TAGS: t.Final = "refs/tags/"
_BRANCHES: t.Final = "refs/heads/"
_PREFIXES: t.Final = (_TAGS, _BRANCHES)


def add_to(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("a .gitlab-ci.yml", "creates the first pipeline and all new pipelines from it")
    group.add_argument(
        "--ci-file", type=option_types.path, metavar="FILE", help="the file; its folder is the root of the repository"
    )
    group.add_argument("--ref", type=option_types.text, help=f"branch, or {_TAGS}NAME for a tag (default: {_BRANCH})")
    group.add_argument(
        "--source", type=option_types.text, help="push (default), merge_request_event, schedule, web and others"
    )
    group.add_argument(
        "--variable",
        action="append",
        default=[],
        type=option_types.text,
        metavar="NAME=VALUE",
        help="variable of the pipeline; can be repeated",
    )
    group.add_argument(
        "--files", type=option_types.path, metavar="LIST", help="file with one path per line for `changes` and `exists`"
    )
    group.add_argument(
        "--times", type=option_types.path, metavar="FILE", help="YAML file: how long jobs take and how they end"
    )
    group.add_argument("--print-scenario", action="store_true", help="print the resulting scenario and exit")


def check(options: argparse.Namespace) -> None:
    """Check the options.

    :raises ValueError: if an option requires another one, or has an invalid value.
    """
    others = (options.ref, options.source, options.variable, options.files, options.times)
    if options.ci_file is None and any(others):
        raise ValueError("--ref, --source, --variable, --files and --times require --ci-file FILE")
    if options.ref in _PREFIXES:
        raise ValueError(f"--ref: the name of the branch or tag is missing after {options.ref}")
    ref = options.ref or _BRANCH
    if ref.startswith("refs/") and not ref.startswith(_PREFIXES):
        merge_request = f"for a merge request, set its source branch and --source {MERGE_REQUEST}"
        raise ValueError(f"--ref: {ref} is neither {_BRANCHES}NAME nor {_TAGS}NAME; {merge_request}")
    if ref.startswith(_TAGS) and options.source == MERGE_REQUEST:
        raise ValueError(f"--ref: a merge request requires a source branch, but {ref} is a tag")
    if options.source is not None and options.source not in SOURCES:
        raise ValueError(f"--source: {options.source!r} is not one of {', '.join(SOURCES)}")
    for text in options.variable:
        if "=" not in text[1:]:
            raise ValueError(f"--variable: must be NAME=VALUE, not {text!r}")


def scenario(options: argparse.Namespace) -> Row | pathlib.Path | None:
    """Return the scenario for the options.

    :raises ScenarioError: if one of the files is invalid.
    """
    if options.ci_file is None:
        return t.cast("pathlib.Path | None", options.scenario)
    if not options.ci_file.is_file():
        raise ScenarioError(f"--ci-file: file not found: {options.ci_file}")
    whole = dict(read_scenario(options.scenario)) if options.scenario else _own_world()
    given = whole.get("projects") or []
    projects = list(given) if isinstance(given, list) else []
    if not projects or not isinstance(projects[0], dict):
        raise ScenarioError("--ci-file: the first project of the scenario must be a mapping")
    projects[0] = {**projects[0], "ci_file": _ci_file(options)}
    whole["projects"] = projects
    if options.scenario is None:
        whole["projects"] += [{"path": path, "members": {_USER: "maintainer"}} for path in _others(options)]
    if options.ref or options.source or options.variable or not whole.get("pipelines"):
        whole["pipelines"] = [*(whole.get("pipelines") or []), {"project": projects[0]["path"], **_pipeline(options)}]
    return whole


def _own_world() -> Row:
    project = {"path": _PROJECT, "members": {_USER: "maintainer"}, "protected_refs": {_BRANCH: [_USER]}}
    return {"users": [_USER], "tokens": [{"token": TOKEN, "user": _USER}], "projects": [project]}


def _ci_file(options: argparse.Namespace) -> Row:
    row: Row = {"path": str(options.ci_file.resolve())}
    if options.files:
        row["files"] = str(options.files.resolve())
    if options.times:
        row["times"] = read_mapping(read_text(options.times, place="--times"), place=f"--times: {options.times}")
    return row


def _pipeline(options: argparse.Namespace) -> Row:
    ref = options.ref or _BRANCH
    row: Row = {"ref": ref.removeprefix(_TAGS).removeprefix(_BRANCHES), "source": options.source or "push"}
    if ref.startswith(_TAGS):
        row["tag"] = True
    if row["source"] == MERGE_REQUEST:
        row["merge_request"] = 1
    if options.variable:
        row["variables"] = dict(text.split("=", 1) for text in options.variable)
    return row


def _others(options: argparse.Namespace) -> list[str]:
    """Return the other projects whose pipelines the file triggers."""
    row = _pipeline(options)
    context = Context(
        project=_PROJECT,
        project_id=1,
        ref=row["ref"],
        tag=row.get("tag", False),
        source=row["source"],
        sha="0" * 40,
        merge_request=row.get("merge_request"),
        is_protected=row["ref"] == _BRANCH,
        user=_USER,
        variables=row.get("variables", {}),
    )
    file = ProjectFile(options.ci_file, options.ci_file.resolve().parent, None, {}, {})
    found = file.make(context, lambda path, branch, above: Made()).projects
    return [path for path in dict.fromkeys(found) if path and path != _PROJECT]


def printed(given: t.Any, world: World) -> str:
    """Return the scenario as YAML, with the created pipelines and, in comments, unsupported keywords."""
    whole = dict(read_scenario(given))
    whole["pipelines"] = [
        {key: value for key, value in row.items() if value != schema.PIPELINE[key]}
        for row, _place in world.pipeline_rows
    ]
    comments = "".join(f"# not supported: {note}\n" for note in world.notes)
    return comments + yaml.dump(whole, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.SafeDumper):
    """YAML dumper that repeats values instead of writing anchors and aliases."""

    def ignore_aliases(self, data: t.Any) -> bool:
        return True

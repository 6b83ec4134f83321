# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create pipelines from the `.gitlab-ci.yml` of a project in the scenario."""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
import typing as t

from . import refs, schema, templates
from .ci.context import MERGE_REQUEST, Context
from .ci.project_file import Made, ProjectFile
from .model import Project
from .reading import read_text
from .schema import ScenarioError, fill

if t.TYPE_CHECKING:
    from .pipeline_creation import Wish
    from .scenario import World


def read(project: Project, folder: pathlib.Path, *, keeps_tags: bool) -> None:
    """Turn the key `ci_file` of a project into the file; paths are below the folder of the scenario.

    :raises ScenarioError: if a key or value is unknown.
    """
    given: t.Any = project.ci_file
    if given is None:
        return
    place = f"project {project.path}: ci_file"
    row = fill({"path": given} if isinstance(given, str) else given, schema.CI_FILE, kind="ci_file", place=place)
    path = folder / str(row["path"])
    project.ci_file = ProjectFile(
        path=path,
        root=path.parent if row["root"] is None else folder / str(row["root"]),
        files=_files(row["files"], folder, place=place),
        times=_times(row["times"], place=place),
        variables={str(name): str(value) for name, value in row["variables"].items()},
        keeps_tags=keeps_tags,
    )


def _files(given: t.Any, folder: pathlib.Path, *, place: str) -> tuple[str, ...] | None:
    """Return paths: the given ones, or the lines of a file."""
    if given is None:
        return None
    if isinstance(given, str):
        given = read_text(folder / given, place=f"{place}.files").splitlines()
    if not isinstance(given, list):
        raise ScenarioError(f"{place}.files: must be a list of paths, or a file with one path per line")
    return tuple(str(path).strip() for path in given if str(path).strip())


def _times(given: dict[str, t.Any], *, place: str) -> dict[str, t.Any]:
    for name, row in given.items():
        if isinstance(row, dict):
            fill({"name": name, **row}, schema.JOB, kind="job", place=f"{place}.times.{name}")
        elif not schema.is_length(row):
            raise ScenarioError(f"{place}.times.{name}: must be seconds, or a mapping of job keys such as duration")
    return given


def make(world: World, project: Project, context: Context) -> Made:
    """Return the content of a pipeline of a project with a file, and note unsupported keywords in the world."""
    assert project.ci_file is not None
    made = project.ci_file.make(context, lambda *wish: _other(world, *wish))
    world.notes += [note for note in made.notes if note not in world.notes]
    return made


def _other(world: World, path: str, branch: str | None, above: Context) -> Made | None:
    """Return the content of a pipeline that a job triggers in another project."""
    project = world.paths.get(path.lower())
    if project is None:
        return None
    ref = branch or project.default_branch
    if project.ci_file is None:
        template = templates.find(project, ref)
        if template is None:
            return Made()
        kept = {key: template[key] for key in ("jobs", "stages", "name", "refused", "yaml_errors")}
        return Made(**kept)
    context = dataclasses.replace(
        above,
        project=project.path,
        project_id=project.id,
        ref=ref,
        tag=False,
        merge_request=None,
        default_branch=project.default_branch,
        is_protected=ref in project.protected_refs,
    )
    return make(world, project, context)


def template(world: World, wish: Wish, ref: tuple[str, bool, str]) -> templates.Template:
    """Return the template of a new pipeline."""
    name, tag, sha = ref
    variables = {row["key"]: "" if row["value"] is None else str(row["value"]) for row in wish.variables}
    context = _context(world, wish.project, name, tag=tag, source=wish.source, sha=sha, variables=variables)
    more: dict[str, t.Any] = {"user": wish.user.username, "inputs": wish.inputs, "is_form": wish.form}
    made = make(world, wish.project, dataclasses.replace(context, **more))
    given = {"jobs": made.jobs, "stages": made.stages, "name": made.name, "inputs": made.inputs}
    given |= {"refused": made.refused, "yaml_errors": made.yaml_errors}
    return fill(given, schema.TEMPLATE, kind="template", place=f"project {wish.project.path}: ci_file")


def fill_in(world: World) -> None:
    """Fill the scenario's pipelines without jobs from the file of their project.

    :raises ScenarioError: if the file creates no pipeline for that ref, source and variables.
    """
    for row, place in world.pipeline_rows:
        project = _project_of(world, row, place=place)
        if project is None or project.ci_file is None or row["jobs"] or row["status"] or row["yaml_errors"]:
            continue
        row["source"] = row["source"] or (MERGE_REQUEST if row["merge_request"] else "push")
        variables = {str(key): str(value) for key, value in row["variables"].items()}
        ref = refs.short(project, row)
        sha = row["sha"] or hashlib.sha1(f"{project.path} {ref}".encode()).hexdigest()
        context = _context(world, project, ref, tag=row["tag"], source=row["source"], sha=sha, variables=variables)
        context = dataclasses.replace(context, merge_request=row["merge_request"], user=row["user"] or context.user)
        made = make(world, project, context)
        if made.refused:
            wish = f"{ref} ({row['source']})"
            raise ScenarioError(f"{place}: {project.ci_file.path} creates no pipeline for {wish}: {made.problem}")
        if made.yaml_errors:
            row["yaml_errors"] = made.yaml_errors
        else:
            row.update(jobs=made.jobs, stages=made.stages, name=row["name"] or made.name)


def _project_of(world: World, row: dict[str, t.Any], *, place: str) -> Project | None:
    """Return the project of a pipeline; None if it sets none and there is not exactly one."""
    if row["project"] is not None:
        return world.project(row["project"], place=f"{place}.project")
    return next(iter(world.projects.values())) if len(world.projects) == 1 else None


def _context(
    world: World, project: Project, ref: str, *, tag: bool, source: str, sha: str, variables: dict[str, str]
) -> Context:
    first = world.first_user
    return Context(
        project=project.path,
        project_id=project.id,
        ref=ref,
        tag=tag,
        source=source,
        sha=sha,
        default_branch=project.default_branch,
        is_protected=ref in project.protected_refs,
        user=first.username if first else "somebody",
        server_url=world.external_url or "http://127.0.0.1",
        variables=variables,
    )

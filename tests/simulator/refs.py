# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Branches, tags and commits of a project (topic of the reference of pipelines: refs)."""

from __future__ import annotations

import hashlib
import re
import typing as t

from .model import DANGLING, Pipeline, Project

_SHORTEST = 4
_PREFIXES = {"refs/heads/": False, "refs/tags/": True}


def made_up(project: Project, text: str) -> str:
    """Return a commit that does not occur in the scenario."""
    return hashlib.sha1(f"{project.path} {text}".encode()).hexdigest()


def tips(project: Project, *, tag: bool) -> dict[str, str]:
    """Return the commit at the tip of each branch, or of each tag.

    A ref exists if the project sets it or a pipeline ran on it; an empty string is a ref without a commit.
    """
    found = {} if tag else {project.default_branch: made_up(project, project.default_branch)}
    found.update({p.ref: p.sha for p in project.pipelines if p.tag == tag and is_of_ref(p)})
    for name, sha in (project.tags if tag else project.branches).items():
        if sha is False:
            found.pop(name, None)
        elif isinstance(sha, str):
            found[name] = sha
        else:
            found.setdefault(name, made_up(project, f"{tag} {name}"))
    return found


def short(project: Project, row: dict[str, t.Any]) -> str:
    """Return the branch or tag of a pipeline row; for a merge request, its source branch."""
    made = f"merge-request-{row['merge_request']}" if row["merge_request"] else project.default_branch
    return row["ref"] or made


def is_of_ref(pipeline: Pipeline) -> bool:
    """Return whether a pipeline belongs to a branch or tag."""
    return pipeline.merge_request is None and pipeline.source not in DANGLING


def find(project: Project, text: str) -> list[tuple[str, bool]]:
    """Return (name, whether it is a tag) of the refs with a name: none, one, or both a tag and a branch."""
    for prefix, tag in _PREFIXES.items():
        if text.startswith(prefix):
            name = text.removeprefix(prefix)
            return [(name, tag)] if name in tips(project, tag=tag) else []
    return [(text, tag) for tag in (True, False) if text in tips(project, tag=tag)]


def commits(project: Project) -> dict[str, Pipeline | None]:
    """Return all commits, each with the newest pipeline that ran on it."""
    found: dict[str, Pipeline | None] = dict.fromkeys(project.commits)
    found.update({sha: None for tag in (False, True) for sha in tips(project, tag=tag).values() if sha})
    found.update({pipeline.sha: pipeline for pipeline in project.pipelines})
    return found


def commit(project: Project, text: str) -> str | None:
    """Return the commit of a ref or a SHA, as in git: a tag before a branch, names before short SHAs.

    Return None if there is none, or if several commits begin with a short SHA.
    """
    known = commits(project)
    if text in known:
        return text
    for name, tag in find(project, text):
        return tips(project, tag=tag)[name] or None
    of_merge_request = [p.sha for p in project.pipelines if p.merge_request is not None and p.ref == text]
    if of_merge_request:
        return of_merge_request[-1]
    if not re.fullmatch(f"[0-9a-f]{{{_SHORTEST},40}}", text.lower()):
        return None
    fitting = [sha for sha in known if sha.startswith(text.lower())]
    return fitting[0] if len(fitting) == 1 else None

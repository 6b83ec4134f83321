# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of a new pipeline for a ref, defined in the scenario instead of a `.gitlab-ci.yml`."""

from __future__ import annotations

import fnmatch
import typing as t

from . import schema
from .model import Project

Template = dict[str, t.Any]


def find(project: Project, ref: str) -> Template | None:
    """Return the template of a ref: by its name, else the first matching pattern, else `*`."""
    rows = project.new_pipelines
    names = [ref, *(name for name in rows if name != "*" and fnmatch.fnmatchcase(ref, name)), "*"]
    return next((rows[name] for name in names if name in rows), None)


def row(template: Template, project: Project, *, place: str, **fields: t.Any) -> dict[str, t.Any]:
    """Return a pipeline row with the jobs of a template."""
    given = {"project": project.path, **{key: template[key] for key in ("jobs", "stages", "name")}, **fields}
    return schema.fill(given, schema.PIPELINE, kind="pipeline", place=place)

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create a pipeline through the API, with the checks in the server's order (topics: P7 create, P8 trigger)."""

from __future__ import annotations

import dataclasses
import typing as t

from . import creation, from_file, inputs, pipeline_texts, refs, roles, templates
from .model import Pipeline, Project, User

if t.TYPE_CHECKING:
    from .simulation import Simulation

Variables = list[dict[str, t.Any]]


@dataclasses.dataclass(frozen=True)
class Wish:
    """A request for a new pipeline.

    :param variables: as the server shows them, see creation.variable.
    :param is_kept: whether a pipeline that fails before it has jobs is saved anyway.
    """

    project: Project
    user: User
    ref: str
    source: str
    variables: Variables = dataclasses.field(default_factory=list)
    inputs: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    form: bool = False
    is_kept: bool = False


class Creator:
    """Creates pipelines; refusals are raised as ApiError."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._engine = simulation.engine
        self._features = simulation.engine.world.features

    def create(self, wish: Wish) -> Pipeline:
        """Return the new pipeline with its jobs.

        :raises ApiError: 400 with the list `base` in the message, or 422 if it failed immediately and was kept.
        """
        name, tag, sha = self._ref(wish)
        self._check_variables(wish)
        self._check_limits(wish, sha)
        if wish.project.ci_file is None:
            template = templates.find(wish.project, name)
        else:
            template = from_file.template(self._engine.world, wish, (name, tag, sha))
        if template is None or template["refused"] == "no_config":
            raise self.refusal("no_config")
        if wish.project.ci_file is not None and template["yaml_errors"]:
            # The inputs were checked when the file was read, as far as possible.
            return self._fail(wish, (name, tag, sha), template["yaml_errors"])
        specs = template["inputs"] if self._features.has("pipelines.inputs") else {}
        try:
            values = inputs.read(specs, wish.inputs, form=wish.form, unknown="unknown input arguments")
            inputs.check_required(specs, values)
        except inputs.InputError as error:
            return self._fail(wish, (name, tag, sha), str(error))
        if template["yaml_errors"]:
            return self._fail(wish, (name, tag, sha), template["yaml_errors"])
        if template["refused"]:
            raise self.refusal(template["refused"])
        if not template["jobs"]:
            raise self.refusal("no_jobs")
        return self._add(wish, template, (name, tag, sha), values)

    def refusal(self, reason: str, **values: str) -> Exception:
        """Return the error for a reason, see pipeline_texts."""
        return pipeline_texts.refusal(self._features, reason, **values)

    def _ref(self, wish: Wish) -> tuple[str, bool, str]:
        """Return name, kind and commit of the ref, if the user may run a pipeline on it."""
        project, user = wish.project, wish.user
        if project.importing:
            raise self.refusal("importing")
        found = refs.find(project, wish.ref)
        short = found[0][0] if found else wish.ref
        if not roles.may_write_ref(user, project, short):
            raise self.refusal("protected_ref", ref=wish.ref)
        if len(found) > 1:
            raise self.refusal("ambiguous")
        if not found:
            raise self.refusal("no_ref")
        name, tag = found[0]
        sha = refs.tips(project, tag=tag)[name]
        if not sha:
            raise self.refusal("no_commit")
        return name, tag, sha

    def _check_variables(self, wish: Wish) -> None:
        role_matters = self._features.has("variables_role")
        if wish.variables and role_matters and not roles.may_set_variables(wish.user, wish.project):
            raise self.refusal("variables")
        keys = [row["key"] for row in wish.variables]
        twice = [key for key in dict.fromkeys(keys) if keys.count(key) > 1]
        if twice:
            raise self.refusal("duplicates" if len(twice) > 1 else "duplicate", names=", ".join(twice))

    def _check_limits(self, wish: Wish, sha: str) -> None:
        """Count this attempt with a valid ref against the limits; above them, it is 400 without Retry-After."""
        limits = self._engine.world.limits
        now, count = self._engine.time, self._simulation.limiter.count
        limit = limits["pipelines_per_minute"]
        key = f"pipelines:{wish.project.id}:{wish.user.username}:{sha}"
        if limit is not None and count(key, now) > limit:
            raise self.refusal("too_many")
        limit = limits["pipelines_of_user_per_minute"]
        if limit is not None and count(f"pipelines:{wish.user.username}", now) > limit:
            raise self.refusal("too_many")

    def _fail(self, wish: Wish, ref: tuple[str, bool, str], text: str) -> Pipeline:
        """Refuse a pipeline with an invalid configuration; if it is kept, it exists without jobs."""
        if not wish.is_kept:
            raise pipeline_texts.not_created(text)
        failed: templates.Template = {"jobs": [], "stages": None, "name": None}
        pipeline = self._add(wish, failed, ref, {}, yaml_errors=text)
        if self._features.has("pipelines.failed_trigger_422"):
            raise pipeline_texts.not_created(text, status=422)
        return pipeline

    def _add(
        self,
        wish: Wish,
        template: templates.Template,
        ref: tuple[str, bool, str],
        values: dict[str, t.Any],
        **more: t.Any,
    ) -> Pipeline:
        name, tag, sha = ref
        # The user is in no scenario if a test acts as another user.
        known = wish.user.username in self._engine.world.users
        more.update(ref=name, tag=tag, sha=sha, source=wish.source, user=wish.user.username if known else None)
        row = templates.row(template, wish.project, place="new pipeline", **more)
        engine = self._engine
        pipeline = creation.create_pipeline(engine, row, wish.project, place="new pipeline", is_copy=True)
        pipeline.variables, pipeline.inputs = list(wish.variables), values
        action = "trigger_pipeline" if wish.source in ("trigger", "pipeline") else "create_pipeline"
        self._simulation.effects.note_pipeline(
            engine, action, pipeline, wish.user, variables=wish.variables, inputs=values
        )
        return pipeline

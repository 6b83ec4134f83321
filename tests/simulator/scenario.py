# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turn a scenario (YAML text, file or mapping) into the records of a world."""

from __future__ import annotations

import dataclasses
import datetime
import pathlib
import re
import typing as t
import zoneinfo

from . import from_file, inputs, schema
from .hooks.config import Hook, read_hook
from .model import Deployment, Environment, Pipeline, Project, Runner, Token, User
from .reading import read_mapping, read_text
from .schema import ScenarioError, fill
from .versions import DEFAULT_VERSION, Features

# Those that did not exist in every version; each is a row of versions.SINCE.
LATE_STATUSES: t.Final = ("waiting_for_resource", "preparing", "waiting_for_callback", "scheduled", "canceling")

Loadable = dict[str, t.Any] | str | pathlib.Path | None


class Counter:
    """Increasing ids. An id that the scenario sets is reserved for it, and the counter continues after it."""

    def __init__(self, first: int) -> None:
        self._next = first
        self._used: set[int] = set()
        self.reserved: set[int] = set()

    def take(self, wanted: int | None, *, place: str) -> int:
        while self._next in self.reserved:
            self._next += 1
        number = self._next if wanted is None else wanted
        if number in self._used:
            raise ScenarioError(f"{place}.id: {number} is already used")
        self._used.add(number)
        self._next = max(self._next, number + 1)
        return number


@dataclasses.dataclass(eq=False)
class World:
    """The data of the server, without its behavior."""

    features: Features
    clock_name: str | None
    external_url: str | None
    limits: dict[str, t.Any]
    maintenance_mode: bool
    pipeline_rows: list[tuple[dict[str, t.Any], str]]
    # Each status of jobs, and the built-in status whose behavior it has.
    statuses: dict[str, str]
    artifacts_url_seconds: float = 600
    artifacts_cleanup: float | None = None
    artifacts_etags: str = "none"
    time_zone: datetime.tzinfo = datetime.UTC
    hooks: list[Hook] = dataclasses.field(default_factory=list)
    # The unsupported parts of the projects' .gitlab-ci.yml.
    notes: list[str] = dataclasses.field(default_factory=list)
    users: dict[str, User] = dataclasses.field(default_factory=dict)
    tokens: dict[str, Token] = dataclasses.field(default_factory=dict)
    projects: dict[int, Project] = dataclasses.field(default_factory=dict)
    paths: dict[str, Project] = dataclasses.field(default_factory=dict)
    moved: dict[str, Project] = dataclasses.field(default_factory=dict)
    runners: list[Runner] = dataclasses.field(default_factory=list)
    pipelines: dict[int, Pipeline] = dataclasses.field(default_factory=dict)
    jobs: dict[int, t.Any] = dataclasses.field(default_factory=dict)
    environments: dict[int, Environment] = dataclasses.field(default_factory=dict)
    deployments: dict[int, Deployment] = dataclasses.field(default_factory=dict)
    job_ids: Counter = dataclasses.field(default_factory=lambda: Counter(1000))
    pipeline_ids: Counter = dataclasses.field(default_factory=lambda: Counter(100))
    deployment_ids: Counter = dataclasses.field(default_factory=lambda: Counter(1))

    def known_statuses(self) -> frozenset[str]:
        """Return the statuses that a server of this version knows."""
        return frozenset(s for s in self.statuses if s not in LATE_STATUSES or self.features.has(s))

    @property
    def first_user(self) -> User | None:
        return next(iter(self.users.values()), None)

    def user(self, username: str | None, *, place: str) -> User | None:
        if username is None:
            return None
        if username not in self.users:
            raise schema.unknown("user", username, self.users, place=place)
        return self.users[username]

    def the_project(self, path: str | int | None) -> Project:
        """Return a project; by default the first one."""
        return next(iter(self.projects.values())) if path is None else self.project(path, place="project")

    def project(self, path: str | int, *, place: str) -> Project:
        found = self.projects.get(path) if isinstance(path, int) else self.paths.get(path.lower())
        if found is None:
            raise schema.unknown("project", path, self.paths, place=place)
        return found


def read_scenario(given: Loadable) -> dict[str, t.Any]:
    """Return the mapping of a scenario, given as a mapping, a file, or YAML text (with a line break or a brace).

    :raises ScenarioError: if there is no such file, or it is not a scenario.
    """
    if given is None:
        return {}
    if isinstance(given, dict):
        return given
    is_text = isinstance(given, str) and ("\n" in given or given.lstrip().startswith("{"))
    return read_mapping(str(given) if is_text else read_text(given, place="scenario"), place="scenario")


def build_world(
    given: Loadable,
    *,
    version: str | None = None,
    statuses: dict[str, str],
    hooks: t.Sequence[dict[str, t.Any]] = (),
    folder: pathlib.Path | None = None,
) -> World:
    """Return the world of a scenario; its pipelines are still rows, which the engine turns into records.

    :param version: the GitLab version if the scenario sets none.
    :param statuses: the job statuses, see World.
    :param hooks: rows in addition to those of the scenario.
    :param folder: the folder of files in the scenario; by default that of its own file, or the current one.
    """
    row = fill(read_scenario(given), schema.SCENARIO, kind="scenario", place="scenario")
    if isinstance(row["version"], float):
        raise ScenarioError("scenario.version: put it in quotes; otherwise 18.10 is read as 18.1")
    try:
        features = Features(str(row["version"] or version or DEFAULT_VERSION), edition=row["edition"])
    except ValueError as error:
        raise ScenarioError(f"scenario.version: {error}") from error
    world = World(
        features=features,
        statuses=statuses,
        clock_name=row["clock"],
        external_url=row["external_url"].rstrip("/") if row["external_url"] else None,
        maintenance_mode=row["maintenance_mode"],
        artifacts_url_seconds=row["artifacts_url_seconds"],
        artifacts_cleanup=row["artifacts_cleanup"],
        artifacts_etags=row["artifacts_etags"],
        time_zone=_time_zone(row["time_zone"]),
        limits=fill(row["limits"], schema.LIMITS, kind="limits", place="limits"),
        pipeline_rows=[
            (fill(entry, schema.PIPELINE, kind="pipeline", place=f"pipelines[{number}]"), f"pipelines[{number}]")
            for number, entry in enumerate(row["pipelines"])
        ],
    )
    _reserve_ids(world, row["pipelines"])
    _add_users(world, row["users"])
    folder = folder or (given.parent if isinstance(given, pathlib.Path) else pathlib.Path())
    _add_projects(world, row["projects"], storage=row["artifacts_storage"])
    for project in world.projects.values():
        from_file.read(project, folder, keeps_tags=row["runners"] is not None)
    _check_agents(world)
    _add_runners(world, row["runners"])
    _add_tokens(world, row["tokens"])
    for number, hook in enumerate([*row["hooks"], *hooks]):
        world.hooks.append(read_hook(hook, features, place=f"hooks[{number}]"))
        if world.hooks[-1].project is not None:
            world.project(world.hooks[-1].project, place=f"hooks[{number}].project")
    from_file.fill_in(world)
    return world


def _time_zone(text: str) -> datetime.tzinfo:
    """Return the time zone of a name or an offset such as +02:00."""
    offset = re.fullmatch(r"([+-])(\d\d):(\d\d)", str(text))
    if text == "UTC":
        return datetime.UTC
    if offset:
        size = datetime.timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return datetime.timezone(-size if offset[1] == "-" else size)
    try:
        return zoneinfo.ZoneInfo(str(text))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise ScenarioError(
            f"scenario.time_zone: must be UTC, an offset such as '+02:00' or the name of a time zone, not {text!r}"
        ) from error


def _reserve_ids(world: World, pipelines: list[t.Any]) -> None:
    """Reserve the ids that the scenario sets, at any depth."""
    for pipeline in pipelines:
        world.pipeline_ids.reserved.update({pipeline["id"]} if pipeline.get("id") else ())
        jobs = pipeline.get("jobs")
        for job in jobs if isinstance(jobs, list) else []:
            number, retried = (job.get("id"), job.get("retried") or 0) if isinstance(job, dict) else (None, 0)
            # Errors in them are reported when the jobs are read.
            if schema.is_count(number) and schema.is_count(retried):
                world.job_ids.reserved.update(range(number - retried, number + 1))
            trigger = job.get("trigger") if isinstance(job, dict) else None
            if isinstance(trigger, dict) and isinstance(trigger.get("pipeline"), dict):
                _reserve_ids(world, [trigger["pipeline"]])


def _add_users(world: World, rows: list[t.Any]) -> None:
    ids = Counter(1)
    for number, given in enumerate(rows):
        place = f"users[{number}]"
        row = fill({"username": given} if isinstance(given, str) else given, schema.USER, kind="user", place=place)
        user = User(
            id=ids.take(row["id"], place=place),
            username=row["username"],
            name=row["name"] or row["username"].capitalize(),
            admin=row["admin"],
            state=row["state"],
        )
        world.users[user.username] = user


def _add_projects(world: World, rows: list[t.Any], *, storage: str) -> None:
    ids = Counter(1)
    for number, given in enumerate(rows):
        place = f"projects[{number}]"
        row = fill(given, schema.PROJECT, kind="project", place=place)
        row["id"] = ids.take(row["id"], place=place)
        for username, role in row["members"].items():
            world.user(username, place=f"{place}.members")
            if role not in schema.ROLES:
                raise schema.unknown("role", role, schema.ROLES, place=f"{place}.members.{username}")
        row["artifacts_storage"] = row["artifacts_storage"] or storage
        # These two change as refs move, which is nothing to the scenario.
        row["branches"], row["tags"] = dict(row["branches"]), dict(row["tags"])
        row["agents"] = [
            fill(agent, schema.AGENT, kind="agent", place=f"{place}.agents[{n}]")
            for n, agent in enumerate(row["agents"])
        ]
        row["new_pipelines"] = {
            ref: fill(given, schema.TEMPLATE, kind="template", place=f"{place}.new_pipelines.{ref}")
            for ref, given in row["new_pipelines"].items()
        }
        for ref, template in row["new_pipelines"].items():
            inputs.check_specs(template["inputs"], place=f"{place}.new_pipelines.{ref}.inputs")
        row["protected_environments"] = _protected(world, row["protected_environments"], place=place)
        row["freeze_periods"] = [
            fill(period, schema.FREEZE, kind="freeze", place=f"{place}.freeze_periods[{n}]")
            for n, period in enumerate(row["freeze_periods"])
        ]
        row["job_token_allowlist"] = _allowed(row["job_token_allowlist"], place=f"{place}.job_token_allowlist")
        project = Project(**row)
        world.projects[project.id] = project
        world.paths[project.path.lower()] = project
        world.moved.update({old.lower(): project for old in project.moved_from})


def _protected(world: World, rows: dict[str, t.Any], *, place: str) -> dict[str, dict[str, t.Any]]:
    """Return the protected environments by name; without a Premium licence there are none."""
    found = {}
    for name, given in rows.items():
        here = f"{place}.protected_environments.{name}"
        given = {"allowed": given} if isinstance(given, list) else given
        row = found[name] = fill(given, schema.PROTECTED, kind="protected", place=here)
        row["rules"] = [
            fill(rule, schema.APPROVAL_RULE, kind="rule", place=f"{here}.rules[{n}]")
            for n, rule in enumerate(row["rules"])
        ]
        for rule in row["rules"]:
            if sum(rule[key] is not None for key in ("user", "group", "role")) != 1:
                raise ScenarioError(f"{here}.rules: a rule must have exactly one of user, group and role")
            for username in [rule["user"], *rule["members"]]:
                world.user(username, place=f"{here}.rules")
    return found if world.features.edition == "premium" else {}


def _allowed(rows: list[t.Any], *, place: str) -> dict[str, list[str] | None]:
    """Return the policies of jobs by the path of their project or group; None means all."""
    allowed: dict[str, list[str] | None] = {}
    for number, given in enumerate(rows):
        if isinstance(given, str):
            allowed[given] = None
        else:
            row = fill(given, schema.ALLOWED, kind="allowed", place=f"{place}[{number}]")
            allowed[row["project"]] = list(row["policies"])
    return allowed


def _check_agents(world: World) -> None:
    for project in world.projects.values():
        for agent in project.agents:
            if agent["config_project"] is not None:
                world.project(agent["config_project"], place=f"project {project.path}: agents.config_project")


def _add_runners(world: World, rows: list[t.Any] | None) -> None:
    ids = Counter(1)
    for number, given in enumerate([{}] if rows is None else rows):
        place = f"runners[{number}]"
        row = fill(given, schema.RUNNER, kind="runner", place=place)
        row["id"] = ids.take(row["id"], place=place)
        world.runners.append(Runner(**{**row, "tags": frozenset(row["tags"])}))


def _add_tokens(world: World, rows: list[t.Any]) -> None:
    for number, given in enumerate(rows):
        place = f"tokens[{number}]"
        row = fill(given, schema.TOKEN, kind="token", place=place)
        if row["kind"] == "job":
            if row["job"] is None:
                raise ScenarioError(f"{place}: a job token requires the key 'job'")
        elif row["kind"] == "trigger" and row["project"] is None:
            raise ScenarioError(f"{place}: a trigger token requires the key 'project'")
        elif row["user"] is None and row["kind"] != "deploy":
            raise ScenarioError(f"{place}: key 'user' is missing")
        world.tokens[row["token"]] = Token(
            value=row["token"],
            kind=row["kind"],
            user=world.user(row["user"], place=place),
            scopes=frozenset(row["scopes"]),
            state=row["state"],
            permissions=None if row["permissions"] is None else frozenset(row["permissions"]),
            job=row["job"],
            pipeline=row["pipeline"],
            project=None if row["project"] is None else world.project(row["project"], place=f"{place}.project"),
        )

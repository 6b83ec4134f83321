# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a selection matches: a small and plain model that is independent of the product."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..harness import Record
from .selection_world import Pipe, World


@dataclasses.dataclass(frozen=True)
class Selection:
    """The selection that a user requests."""

    names: list[str] | None
    stages: list[str] | None
    scope: list[str] | None
    downstream: bool
    allow_empty: bool
    sources: list[str] | None
    ref_type: str

    @property
    def pipeline(self) -> Record:
        return {"ref": "main", "ref_type": self.ref_type, "pipeline_source": self.sources}

    @property
    def options(self) -> Record:
        chosen = {"name": self.names, "stage": self.stages, "scope": self.scope, "allow_empty": self.allow_empty}
        return {**self.pipeline, **chosen, "include_downstream": self.downstream}

    @property
    def is_empty(self) -> bool:
        return self.names == [] or self.stages == []

    @property
    def is_whole(self) -> bool:
        return not (self.names or self.stages or self.scope or self.is_empty)


# statuses of a trigger job that ended without a pipeline
ENDED = ("failed", "canceled")


class Refused(Exception):
    """The selection does not exist or is ambiguous."""


@dataclasses.dataclass
class Member:
    """A job that can be selected, or a trigger job."""

    path: str
    record: Record
    is_trigger: bool = False
    child: Pipe | None = None

    @property
    def name(self) -> str:
        return str(self.record["name"])

    @property
    def is_own(self) -> bool:
        return self.path == self.name


@dataclasses.dataclass
class Match:
    """The jobs that a wish matches in a world.

    :param groups: the jobs that match each name; one group without names.
    :param is_complete: whether no more jobs can match later.
    :param is_cut: whether an unselected trigger job failed to start a pipeline with possible matches.
    :param is_scope_alone: whether jobs match except for their statuses.
    """

    pipe: Pipe
    groups: list[list[Member]]
    is_complete: bool = True
    is_cut: bool = False
    is_scope_alone: bool = False

    @property
    def members(self) -> list[Member]:
        found = {member.record["id"]: member for group in self.groups for member in group}
        return [found[number] for number in sorted(found, reverse=True)]

    @property
    def ids(self) -> list[int]:
        return [member.record["id"] for member in self.members]


def fits(text: str, wanted: str) -> bool:
    signs = {"*": ".*", "?": "."}
    return re.fullmatch("".join(signs.get(char, re.escape(char)) for char in wanted), text, re.DOTALL) is not None


def newest(world: World, selection: Selection) -> Pipe:
    for pipe in world.pipes:
        is_of_source = not selection.sources or pipe.source in selection.sources
        is_of_type = selection.ref_type == "any" or (selection.ref_type == "tag") == pipe.is_tag
        if is_of_source and is_of_type and pipe.kind != "skipped":
            return pipe
    raise Refused("there is no pipeline")


def members_of(pipe: Pipe, *, downstream: bool, prefix: str = "") -> list[Member]:
    found = [Member(prefix + record["name"], record) for record in pipe.jobs]
    for trigger, child in pipe.triggers:
        found.append(Member(prefix + trigger["name"], trigger, is_trigger=True, child=child))
        if downstream and child:
            found += members_of(child, downstream=True, prefix=f"{prefix}{trigger['name']}/")
    return found


def named(members: list[Member], name: str) -> list[Member]:
    """Return the jobs that match a name, by the first rule that finds any."""
    rules: list[t.Callable[[Member], bool]] = [
        lambda member: member.is_own and member.name == name,
        lambda member: member.path == name,
        lambda member: member.name == name,
        lambda member: name.startswith("**/") and fits(member.name, name[3:]),
        lambda member: fits(member.name, name) or fits(member.path, name),
    ]
    return next((found for rule in rules if (found := [member for member in members if rule(member)])), [])


def match_jobs(world: World, selection: Selection, *, triggers: bool = False, is_split: bool = True) -> Match:
    """Return the jobs that a wish matches.

    :param triggers: whether trigger jobs can be selected.
    :param is_split: whether the names may be one string, to be split at its commas.
    """
    pipe = newest(world, selection)
    if selection.is_empty:
        return Match(pipe, [])
    everything = members_of(pipe, downstream=selection.downstream)
    members = [member for member in everything if triggers or not member.is_trigger]
    is_open = any(not child and trigger["status"] in ("manual", "created") for trigger, child in all_triggers(pipe))
    names = split_names(members, selection.names, is_split) if selection.names else []
    # a job of the pipeline itself and a job found by its path cannot be replaced by another match later
    is_final = bool(names) and all(any(member.path == name for member in members) for name in names)
    is_complete = (is_final or not (selection.downstream and is_open)) and bool(members or pipe.kind == "invalid")
    stages = {member.record["stage"] for member in members}
    for entry in selection.stages or ():
        if not any(fits(stage, entry) for stage in stages):
            raise Refused(f"no stage {entry}")
    wanted = {s for s in stages if not selection.stages or any(fits(s, entry) for entry in selection.stages)}
    groups = [named(members, name) for name in names] if selection.names else [members]
    placed = [[member for member in group if member.record["stage"] in wanted] for group in groups]
    if selection.names and not all(placed):
        raise Refused("a name is not there")
    scoped = [[m for m in group if not selection.scope or m.record["status"] in selection.scope] for group in placed]
    open_names = [name for name in names if all(member.path != name for member in members)] if names else [""]
    lost = [
        member.path
        for member in everything
        if selection.downstream and member.is_trigger and member.record["status"] in ENDED and not member.child
    ]
    selected = {member.path for group in scoped for member in group}
    is_cut = any(may_be_below(name, path) for name in open_names for path in lost if path not in selected)
    return Match(pipe, scoped, is_complete, is_cut, is_scope_alone=any(placed) and not any(scoped))


def may_be_below(name: str, path: str) -> bool:
    known = re.split(r"[*?]", name)[0]
    return "/" not in name or known.startswith(f"{path}/") or f"{path}/".startswith(known)


def all_triggers(pipe: Pipe) -> list[tuple[Record, Pipe | None]]:
    return [pair for inner in pipe.walk() for pair in inner.triggers]


def split_names(members: list[Member], names: list[str], is_split: bool) -> list[str]:
    whole = ",".join(names)
    known = {text for member in members for text in (member.name, member.path)}
    if not is_split:
        return names
    parts = [name.strip() for name in names]
    if len(names) == 1 or whole not in known:
        return parts
    if known.issuperset(parts):
        raise Refused("it is not clear whether one job is meant, or several")
    return [whole]


def or_none(call: t.Callable[[], Match]) -> Match | None:
    try:
        return call()
    except Refused:
        return None


def targets(model: Match | None, selection: Selection, multiple: str) -> list[Member] | None:
    """Return the jobs to act on, or None if the action is refused."""
    if model is None or (selection.is_whole and not selection.is_empty):
        return None
    if not model.members:
        is_fine = model.is_scope_alone or (
            selection.allow_empty and (selection.is_empty or model.pipe.kind != "invalid")
        )
        return [] if is_fine else None
    if multiple == "error" and any(len(group) > 1 for group in model.groups):
        return None
    chosen = [
        [max(group, key=lambda member: member.record["id"])] if multiple == "latest" and group else group
        for group in model.groups
    ]
    return list({member.record["id"]: member for group in chosen for member in group}.values())

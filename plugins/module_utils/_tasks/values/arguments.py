# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The defined options and the set options, of a task and inside its lists of mappings."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ..._api.errors import UsageError

Options = t.Mapping[str, t.Any]
Arguments = t.Mapping[str, t.Mapping[str, t.Any]]
Rules = tuple[tuple[str, ...], ...]
Conditions = tuple[tuple[str, t.Any, tuple[str, ...]], ...]

# Options whose values are sent to jobs or pipelines, including nested options.
VARIABLE_OPTIONS = ("job_variables", "job_inputs", "variables", "inputs")


@dataclasses.dataclass(frozen=True)
class ArgumentSpec:
    """Options and the rules between them, as one value that can be merged with others."""

    arguments: Arguments = dataclasses.field(default_factory=dict)
    mutually_exclusive: Rules = ()
    required_one_of: Rules = ()
    required_if: Conditions = ()

    def merged(self, *others: ArgumentSpec, **further: t.Any) -> ArgumentSpec:
        """Return all of them as one value, with further fields; a later option of the same name wins."""
        every = (self, *others, ArgumentSpec(**further))
        return ArgumentSpec(
            arguments={name: option for spec in every for name, option in spec.arguments.items()},
            mutually_exclusive=tuple(rule for spec in every for rule in spec.mutually_exclusive),
            required_one_of=tuple(rule for spec in every for rule in spec.required_one_of),
            required_if=tuple(rule for spec in every for rule in spec.required_if),
        )


def all_names(arguments: Arguments, key: str = "") -> set[str]:
    """Return the names and aliases of all options, or of those for which `key` is true."""
    wanted = {name: argument for name, argument in arguments.items() if not key or argument.get(key)}
    return set(wanted).union(*(argument.get("aliases", ()) for argument in wanted.values()))


def given_names(name: str, argument: t.Mapping[str, t.Any], options: Options) -> list[str]:
    """Return the names and aliases with which an option is set."""
    return [key for key in (name, *argument.get("aliases", ())) if options.get(key) is not None]


def without_nulls(arguments: Arguments, given: Options) -> dict[str, t.Any]:
    """Return options without those that are null, which count as not set, also inside lists of mappings.

    Unknown options stay, so that they are refused.
    """
    known = all_names(arguments)
    found = {name: value for name, value in given.items() if value is not None or name not in known}
    for name, argument in arguments.items():
        if argument.get("options") and isinstance(found.get(name), list):
            found[name] = [
                without_nulls(argument["options"], item) if isinstance(item, dict) else item for item in found[name]
            ]
    return found


def where_in(name: str, number: int, item: t.Any, where: str) -> str:
    """Return the label of an item in a list of mappings, such as gate 2 of project 'group/app'.

    :param where: the label of the item that contains the list, empty for the options of the task.
    """
    what = name[:-1]
    called = (item.get("name") or item.get("project")) if isinstance(item, dict) and what == "project" else None
    return (f"{what} {str(called)!r}" if called else f"{what} {number}") + (f" of {where}" if where else "")


def each_level(
    arguments: Arguments, options: dict[str, t.Any], where: str = ""
) -> t.Iterator[tuple[str, Arguments, dict[str, t.Any]]]:
    """Yield the label, the rules and the options of the task, then those of each item in its lists of mappings."""
    yield where, arguments, options
    for name, argument in arguments.items():
        items = options.get(name) if argument.get("options") else None
        for number, item in enumerate(items if isinstance(items, (list, tuple)) else (), 1):
            if isinstance(item, dict):
                yield from each_level(argument["options"], item, where_in(name, number, item, where))


def each_given(arguments: Arguments, options: Options) -> t.Iterator[tuple[str, str, t.Mapping[str, t.Any], t.Any]]:
    """Yield the label, name, rules and value of each option that is set, also inside lists of mappings."""
    for where, known, given in each_level(arguments, dict(options)):
        for name, argument in known.items():
            for key in given_names(name, argument, given):
                yield where, key, argument, given[key]


@contextlib.contextmanager
def located(where: str) -> t.Iterator[None]:
    """Add the label of the item of a list to errors; an empty label adds nothing."""
    try:
        yield
    except UsageError as exc:
        raise UsageError(f"{where}: {exc}" if where else str(exc)) from None

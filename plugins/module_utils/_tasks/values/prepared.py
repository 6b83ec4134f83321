# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What is the same for every option of every task: null is not given, nothing is empty, and a project is a path."""

from __future__ import annotations

import contextlib
import typing as t

from ..._api.errors import UsageError
from ..._api.masking import MASK
from ..._app.settings import api_base_url, project_path
from .connection import Environment, Options, url_name

Arguments = t.Mapping[str, t.Mapping[str, t.Any]]

# How Ansible writes a list or a mapping where one value belongs.
_WRITTEN = ("['", '["', "{'", '{"')
# Texts for people, which select nothing: they may have asterisks for an ornament.
_PROSE = ("comment", "title", "user")


def prepared(arguments: Arguments, options: Options, environ: Environment) -> dict[str, t.Any]:
    """Return validated options as every task takes them.

    :param arguments: the options that there are, as an argument specification or a documentation lists them.
    :param environ: the address of the server may come from it.
    :raises UsageError: for an empty text, which a forgotten variable leaves behind, for a mask, and for a project of
        elsewhere.
    """
    for where, name, argument, value in each_given(arguments, options):
        with located(where):
            _check(name, argument, value)
    server = url_name(options, environ)
    return _with_paths(options, server, api_base_url(str(options["api_url"]), server))


def all_names(arguments: Arguments, key: str = "") -> set[str]:
    """Return all names of all options, or of those for which `key` is true."""
    wanted = {name: argument for name, argument in arguments.items() if not key or argument.get(key)}
    return set(wanted).union(*(argument.get("aliases", ()) for argument in wanted.values()))


def given_names(name: str, argument: t.Mapping[str, t.Any], options: Options) -> list[str]:
    """Return the names under which an option is given."""
    return [key for key in (name, *argument.get("aliases", ())) if options.get(key) is not None]


def without_nulls(arguments: Arguments, given: Options) -> dict[str, t.Any]:
    """Return options without null, which is not given and counts for no rule, also inside of lists of mappings.

    What is no option stays, to be refused.
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
    """Return what to call an item of a list of mappings: gate 2 of project 'group/app'.

    :param where: what the list is in, empty for the options of the task.
    """
    what = name[:-1]
    called = (item.get("name") or item.get("project")) if isinstance(item, dict) and what == "project" else None
    return (f"{what} {str(called)!r}" if called else f"{what} {number}") + (f" of {where}" if where else "")


def each_level(arguments: Arguments, options: Options, where: str = "") -> t.Iterator[tuple[str, Arguments, Options]]:
    """Yield where they are, their rules and the options: those of the task, then those in each item of a list."""
    yield where, arguments, options
    for name, argument in arguments.items():
        items = options.get(name) if argument.get("options") else None
        for number, item in enumerate(items if isinstance(items, (list, tuple)) else (), 1):
            if isinstance(item, dict):
                yield from each_level(argument["options"], item, where_in(name, number, item, where))


def each_given(arguments: Arguments, options: Options) -> t.Iterator[tuple[str, str, t.Mapping[str, t.Any], t.Any]]:
    """Yield where, name, rules and value of each option that is given, also inside of lists of mappings."""
    for where, known, given in each_level(arguments, options):
        for name, argument in known.items():
            for key in given_names(name, argument, given):
                yield where, key, argument, given[key]


def _with_paths(options: Options, server: str, base_url: str, where: str = "") -> dict[str, t.Any]:
    """Return options with the paths of their projects.

    :param server: the option or the variable that gives the address of the server.
    """
    found = dict(options)
    if found.get("project") is not None:
        with located(where):
            found["project"] = project_path(str(found["project"]), base_url, server)
    if found.get("projects") is not None:
        found["projects"] = [
            _with_paths(item, server, base_url, where_in("projects", number, item, where))
            for number, item in enumerate(found["projects"], 1)
        ]
    return found


@contextlib.contextmanager
def located(where: str) -> t.Iterator[None]:
    """Say in an error which item of a list it is about; empty for none."""
    try:
        yield
    except UsageError as exc:
        raise UsageError(f"{where}: {exc}" if where else str(exc)) from None


def refuse_mask(name: str, text: str) -> None:
    """Return unless a text has asterisks for what is hidden, which are a wildcard for names, and match nothing else.

    :raises UsageError: when it has.
    """
    if MASK in text:
        raise UsageError(
            f"{name} is {text!r}, in which asterisks stand for a secret or the value of a variable; give the text "
            "itself"
        )


def _check(name: str, argument: t.Mapping[str, t.Any], value: t.Any) -> None:
    """Refuse an empty value, a mask, and what Ansible has made a text of."""
    if argument.get("type", "str") in ("str", "path"):
        if not str(value).strip():
            remedy = "give a value" if argument.get("required") else "give a value or leave it out"
            raise UsageError(f"{name} is empty; {remedy}")
        if str(value).startswith(_WRITTEN):
            told = "" if argument.get("no_log") else f"{value}, "
            raise UsageError(f"{name} is {told}a list or mapping written as a text; give one value")
        if name not in _PROSE and not argument.get("no_log"):
            refuse_mask(name, str(value))
    if argument.get("elements") == "str":
        if any(not str(item).strip() for item in value):
            raise UsageError(f"{name} holds an empty text; give names, or leave the option out")
        for item in value:
            refuse_mask(name, str(item))
            if str(item).startswith(_WRITTEN):
                raise UsageError(f"{name} holds {item}, a list or mapping written as a text; give a flat list")

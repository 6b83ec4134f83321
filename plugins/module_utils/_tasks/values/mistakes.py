# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Errors about the options of a task, in one sentence that says what to write instead.

Ansible's validator decides whether something is wrong. This module replaces its errors for frequent mistakes, so that
the module and the task in process report them in the same words.
"""

from __future__ import annotations

import difflib
import re
import string
import typing as t

from .arguments import VARIABLE_OPTIONS, Arguments, ArgumentSpec, Options, all_names, each_level, given_names

# Wrong names, and the options that users may mean by them: the first one that the task has counts. Names with a similar
# spelling are found without this table.
_MEANT: t.Mapping[str, tuple[str, ...]] = {
    "branch": ("ref",),
    "ca_cert": ("ca_path",),
    "ca_file": ("ca_path",),
    "commit": ("sha",),
    "commit_sha": ("sha",),
    "destination": ("dest",),
    "env": ("environment",),
    "file": ("artifact_path", "artifact"),
    "file_type": ("report_type",),
    "gitlab_token": ("api_token",),
    "gitlab_url": ("api_url",),
    "host": ("api_url",),
    "id": ("job_id", "pipeline_id"),
    "input": ("inputs", "job_inputs"),
    "job": ("name", "job_name"),
    "job_name": ("name",),
    "job_names": ("name",),
    "jobs": ("name",),
    "message": ("comment",),
    "mr": ("merge_request",),
    "name": ("job_name",),
    "path": ("artifact_path", "artifact"),
    "repo": ("project",),
    "repository": ("project",),
    "retries": ("api_retries", "max_attempts"),
    "server_url": ("api_url",),
    "source": ("pipeline_source",),
    "state": ("action", "scope"),
    "status": ("scope", "attribute"),
    "tag": ("ref",),
    "timeout": ("wait_timeout", "api_timeout"),
    "url": ("api_url",),
    "vars": ("variables", "job_variables"),
    "verify_ssl": ("validate_certs",),
}
# The same for values.
_MEANT_VALUES: t.Mapping[str, tuple[str, ...]] = {
    "abort": ("cancel",),
    "accept": ("approved",),
    "delete": ("erase", "delete_artifacts"),
    "done": ("finished", "success"),
    "false": ("never",),
    "keep": ("keep_artifacts",),
    "passed": ("success",),
    "refused": ("rejected",),
    "rerun": ("retry",),
    "restart": ("retry",),
    "create": ("run",),
    "run": ("play",),
    "start": ("play", "run"),
    "stop": ("cancel",),
    "trigger": ("run", "play"),
    "true": ("always",),
}
_REMEDIES: t.Mapping[str, str] = {
    "project": "set it to the numeric id or the full path, like group/project",
    "projects": "set it to a list of projects, each with its gates",
    "gates": "set it to a list of gates, each with its action",
}
_PASSWORD_OPTIONS = ("api_username", "api_password")
_NO_PASSWORDS = (
    "api_username and api_password do not exist, because GitLab's API does not accept passwords; set api_token"
)
_KINDS: t.Mapping[type, str] = {dict: "a mapping", list: "a list", tuple: "a list"}
# Errors about possible secrets show only this.
_ALL_KINDS: t.Mapping[type, str] = {**_KINDS, str: "a string", bool: "a boolean", int: "a number", float: "a number"}
_TYPES: t.Mapping[str, type] = {"int": int, "float": float, "bool": bool, "dict": dict}
NUMBERS: t.Mapping[str, str] = {"int": "an integer", "float": "a number of seconds"}
_SECONDS: t.Mapping[str, int] = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhd])[a-z]*\s*", re.IGNORECASE)
_PAGE = re.compile(r"/-/(?:jobs|pipelines|merge_requests)/(\d{1,19})|(?:\A|[\s#!])(\d{1,19})\s*\Z")
_LONGEST_VALUE = 60
_OF_TOKENS = string.ascii_letters + string.digits + "-_.~+="


def option_mistake(task_name: str, spec: ArgumentSpec, arguments: Arguments, given: dict[str, t.Any]) -> str:
    """Return what is wrong with options that Ansible's validator refuses, empty if only Ansible knows.

    :param arguments: the defined options, with those that Ansible itself adds.
    :param given: the options as far as the validator has converted them, which is all that a module knows.
    """
    documented = f"ansible-doc jobgate.gitlab.{task_name} lists the options"
    return mistake_in(arguments, given, documented) or _combination(spec, given)


def none_given(names: t.Iterable[str]) -> str:
    """Return the error that one of some options is required; the cause may be a variable that is null."""
    return f"one of the following is required, and null counts as not set: {', '.join(names)}"


def close_values(value: str, known: t.Iterable[str], meant: t.Mapping[str, tuple[str, ...]] | None = None) -> str:
    """Return a question with the values that the user may mean, empty if none is close.

    :param meant: wrong words and what users may mean by them, None for the table of values.
    """
    lower, all_known = value.lower(), list(dict.fromkeys(known))
    found = [option for option in (_MEANT_VALUES if meant is None else meant).get(lower, ()) if option in all_known]
    close = found[:1] or difflib.get_close_matches(lower, all_known, n=2, cutoff=0.7)
    return f"did you mean {' or '.join(close)}?" if close else ""


def shown(value: t.Any) -> str:
    """Return a value as part of a sentence: in quotes, short and in one line.

    A long value ends before a word that would be cut, because a part of a secret cannot be masked.
    """
    if type(value) in _KINDS:
        return _KINDS[type(value)]
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1].rstrip(_OF_TOKENS) + "…"


def kind_of(value: t.Any) -> str:
    """Return the kind of a value, without the value itself."""
    return next((what for kind, what in _ALL_KINDS.items() if isinstance(value, kind)), "null")


def mistake_in(arguments: Arguments, given: dict[str, t.Any], otherwise: str) -> str:
    """Return what is wrong with single options, of the task or of an item of a list.

    :param given: see `option_mistake`.
    :param otherwise: where to find the options, if none is close to an unknown one.
    """
    for where, known, options in each_level(arguments, given):
        there_are = f"the options are {', '.join(sorted(known))}" if where else otherwise
        problem = _level_mistake(known, options, there_are)
        if problem:
            return f"{where}: {problem}" if where else problem
    return ""


def _level_mistake(arguments: Arguments, given: Options, otherwise: str) -> str:
    names = all_names(arguments)
    for name in given:
        if name in _PASSWORD_OPTIONS:
            return _NO_PASSWORDS
        if name not in names:
            return f"unknown option {name}; {close_values(name, names, _MEANT) or otherwise}"
    for name, argument in arguments.items():
        keys = given_names(name, argument, given)
        if not keys and argument.get("required"):
            return f"{name} is missing; {_remedy(name, argument)}"
        for key in keys[:1]:
            problem = _value_mistake(key, argument, given[key])
            if problem:
                return problem
            if argument.get("options") and not given[key]:  # the validator also empties a list of strings
                return f"{name} contains no mappings; {_remedy(name, argument)}"
    return ""


def _remedy(name: str, argument: t.Mapping[str, t.Any]) -> str:
    if argument.get("choices"):
        return f"use one of {', '.join(argument['choices'])}"
    return _REMEDIES.get(name, "set a value")


def _value_mistake(name: str, argument: t.Mapping[str, t.Any], value: t.Any) -> str:
    """Return what is wrong with the type of a value, or that it is not one of the choices.

    The validator has converted what it could, so it could not convert a value that still has another type.
    """
    kind = argument.get("type", "str")
    if kind in _TYPES and isinstance(value, _TYPES[kind]):
        return ""
    is_hidden = argument.get("no_log") or name in VARIABLE_OPTIONS
    is_ = f"{name} has an invalid value" if is_hidden else f"{name} is {shown(value)}"
    if kind in NUMBERS:
        return _number_mistake(is_, kind, str(value))
    if kind == "bool":
        return f"{is_}; use true or false"
    if kind == "dict":
        return f"{name} is {kind_of(value)}; use a mapping, such as {{NAME: value}}"
    choices = argument.get("choices")
    if kind != "list":
        return choice_mistake(is_, value, choices)
    if not isinstance(value, list):
        return f"{is_}; use a list" + (", with a dash before each item" if argument.get("options") else "")
    return next(filter(None, (choice_mistake(f"{name} contains {shown(item)}", item, choices) for item in value)), "")


def _number_mistake(is_: str, kind: str, text: str) -> str:
    duration = _DURATION.fullmatch(text)
    if duration and kind == "float":
        seconds = float(duration.group(1)) * _SECONDS[duration.group(2).lower()]
        return f"{is_}; use the number of seconds, {seconds:g}"
    found = _PAGE.search(text)
    if found and kind == "int":
        return f"{is_}; use only the number, {found.group(1) or found.group(2)}"
    return f"{is_}; use {NUMBERS[kind]}"


def choice_mistake(is_: str, value: t.Any, choices: t.Sequence[str] | None) -> str:
    """Return the error that a value is not one of the choices, empty if it is one or there are no choices."""
    if not choices or value in choices:
        return ""
    return f"{is_}; " + (close_values(str(value), choices) or f"use one of {', '.join(choices)}")


def _combination(spec: ArgumentSpec, given: Options) -> str:
    """Return which options are mutually exclusive, or are missing although others require them."""
    names = {name for name, argument in spec.arguments.items() if given_names(name, argument, given)}
    for rule in spec.mutually_exclusive:
        both = [name for name in rule if name in names]
        if len(both) > 1:
            return (
                f"{' and '.join(both)} are mutually exclusive; set only one of them, and set one that comes from "
                "module_defaults to null"
            )
    for rule in spec.required_one_of:
        if not names.intersection(rule):
            return none_given(rule)
    for name, value, needed in spec.required_if:
        missing = [other for other in needed if other not in names]
        if given.get(name, spec.arguments[name].get("default")) == value and missing:
            return f"{missing[0]} is missing; {name}: {value} needs it"
    return ""

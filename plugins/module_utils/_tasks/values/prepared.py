# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is the same for every option of every task: nothing is empty, and a project is a path."""

from __future__ import annotations

import copy
import typing as t

from ..._api.errors import UsageError
from ..._api.masking import MASK
from ..._app.settings import api_base_url, project_path
from .arguments import Arguments, Options, each_given, each_level, located
from .connection import Environment, url_name

# How Ansible writes a list or a mapping where one value belongs.
_WRITTEN = ("['", '["', "{'", '{"')
# Texts for people, which select nothing: they may have asterisks for an ornament.
_PROSE = ("comment", "title", "user")


def prepared(arguments: Arguments, options: Options, environ: Environment) -> dict[str, t.Any]:
    """Return validated options as every task takes them, with the paths of their projects.

    :param environ: the address of the server may come from it.
    :raises UsageError: for an empty text, which a forgotten variable leaves behind, for a mask, and for a project of
        elsewhere.
    """
    for where, name, argument, value in each_given(arguments, options):
        with located(where):
            _check(name, argument, value)
    found = copy.deepcopy(dict(options))
    server = url_name(found, environ)
    base_url = api_base_url(str(found["api_url"]), server)
    for where, _arguments, level in each_level(arguments, found):
        if level.get("project") is not None:
            with located(where):
                level["project"] = project_path(str(level["project"]), base_url, server)
    return found


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

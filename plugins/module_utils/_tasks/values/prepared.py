# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The checks and changes for the options of every task: no value is empty, and projects become paths."""

from __future__ import annotations

import copy
import typing as t

from ..._api.errors import UsageError
from ..._api.masking import MASK
from ..._app.settings import api_base_url, project_path
from .arguments import Arguments, Options, each_given, each_level, located
from .connection import Environment, url_name

# How Ansible writes a list or a mapping as a string.
_WRITTEN = ("['", '["', "{'", '{"')
# Options for free text, which select nothing, so they can contain asterisks.
_PROSE = ("comment", "title", "user")


def prepared(arguments: Arguments, options: Options, environ: Environment) -> dict[str, t.Any]:
    """Return validated options with the paths of their projects.

    :param environ: can contain the address of the server.
    :raises UsageError: for an empty string, as from an unset variable, for a mask, and for a project of another
        server.
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
    """Check that a string does not contain the asterisks of a mask, which match every name and no other value.

    :raises UsageError: if it does.
    """
    if MASK in text:
        raise UsageError(
            f"{name} is {text!r}, in which asterisks replace a secret or the value of a variable; use the real value"
        )


def _check(name: str, argument: t.Mapping[str, t.Any], value: t.Any) -> None:
    """Refuse an empty value, a mask, and a list or mapping that Ansible converted to a string."""
    if argument.get("type", "str") in ("str", "path"):
        if not str(value).strip():
            remedy = "set a value" if argument.get("required") else "set a value or omit it"
            raise UsageError(f"{name} is empty; {remedy}")
        if str(value).startswith(_WRITTEN):
            written = "" if argument.get("no_log") else f"{value}, "
            raise UsageError(f"{name} is {written}a list or mapping written as a string; use one value")
        if name not in _PROSE and not argument.get("no_log"):
            refuse_mask(name, str(value))
    if argument.get("elements") == "str":
        if any(not str(item).strip() for item in value):
            raise UsageError(f"{name} contains an empty string; remove it, or omit the option")
        for item in value:
            refuse_mask(name, str(item))
            if str(item).startswith(_WRITTEN):
                raise UsageError(f"{name} contains {item}, a list or mapping written as a string; use a flat list")

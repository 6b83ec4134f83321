# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The secrets in the options of a task: tokens, and variables that are sent to jobs."""

from __future__ import annotations

import json
import re
import typing as t

from ..._api.endpoints import to_text
from ..._api.masking import change_texts
from .arguments import VARIABLE_OPTIONS, Arguments, Options, all_names, each_given

# A shorter value, such as a number or `true`, cannot be masked without making results unreadable.
SHORTEST_VARIABLE = 8
# an address, valid or not: with a scheme, or without one but with user and password
_ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:[/\\]{2}|[^\s/:@]+:[^\s/@]+@[^\s/@.]+\.)\S*$", re.IGNORECASE)
# the parts of an address before its host and after its path
_CREDENTIALS = re.compile(r"(?<=:[/\\]{2})[^/\s]*@|^\s*[^\s/:@]+:[^\s/@]+@|[?#].*")
_USER_INFO = re.compile(r"\s*[a-z][a-z0-9+.-]*:[/\\]{2}([^\s/@]+)@", re.IGNORECASE)
_HIDDEN = "VALUE_NOT_SHOWN"
# Ansible's own text
_NO_LOG = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def given_secrets(arguments: Arguments, params: Options) -> set[str]:
    """Return the values of token options, even if the options are invalid or not validated yet.

    :param arguments: the options in the form of Ansible's validators.
    """
    secret = all_names(arguments, "no_log")
    given = [value for name, value in params.items() if name in secret]
    # strings inside values of other types are secrets only if they are long enough to be masked
    inside = {text for value in given if not isinstance(value, str) for text in _texts(value)}
    # masking spaces would change every sentence, also the error about them
    return {value for value in given if isinstance(value, str) and value.strip()} | {
        text for text in (*inside, *_passwords(params)) if len(text) >= SHORTEST_VARIABLE
    }


def variable_values(arguments: Arguments, options: Options) -> set[str]:
    """Return the values of variables that a server must not repeat to the user.

    Values that the options show anyway, such as the name of a branch, are not secret.
    """
    values: set[str] = set()
    shown: set[str] = set()
    for _where, name, argument, value in each_given(arguments, options):
        if name in VARIABLE_OPTIONS:
            values.update(_texts(_without_names(value)))
        elif not argument.get("no_log") and not argument.get("options"):
            items = value if isinstance(value, (list, tuple)) else [value]
            shown.update(item for item in items if isinstance(item, str))
    visible = "\n".join(shown)
    # a log shows the lines of a key one by one
    values.update(line.strip() for value in tuple(values) for line in value.split("\n"))
    hidden = (*(value for value in values if value not in visible), *_passwords(options))
    return {value for value in hidden if len(value) >= SHORTEST_VARIABLE}


def shown_options(arguments: Arguments, params: Options) -> dict[str, t.Any]:
    """Return the options as the invocation can show them, even if they are invalid."""
    secret = all_names(arguments, "no_log")
    # lists of mappings can also contain variables
    visible = all_names(arguments) - all_names(arguments, "options") - set(VARIABLE_OPTIONS)
    return {name: _shown(name, value, secret, visible) for name, value in params.items()}


def _shown(name: str, value: t.Any, secret: set[str], visible: set[str]) -> t.Any:
    if name in secret and value is not None:
        return _NO_LOG
    # an unknown option may be a token with a misspelled name
    if value is None or name in visible or name.startswith("_ansible"):
        return change_texts(value, _without_credentials)
    return dict.fromkeys(value, _HIDDEN) if isinstance(value, dict) else _HIDDEN


def _passwords(value: t.Any) -> t.Iterator[str]:
    """Yield the user information of addresses; in a job's repository address it contains a token."""
    for text in _texts(value):
        found = _USER_INFO.match(text)
        if found:
            yield from (found.group(1), found.group(1).partition(":")[2])


def _without_credentials(text: str) -> str:
    """Return an address without user information and query, any other string unchanged."""
    return _CREDENTIALS.sub("", text) if _ADDRESS.match(text) else text


def read_json(value: t.Any) -> t.Any:
    """Return the value of a JSON string, in which variables can be written; anything else unchanged."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value


def _without_names(variables: t.Any) -> t.Any:
    """Return the values of variables, which can be written as a list of mappings with `key` and `value`."""
    variables = read_json(variables)
    if not isinstance(variables, (list, tuple)):
        return variables
    return [entry.get("value") if isinstance(entry, dict) and "key" in entry else entry for entry in variables]


def _texts(value: t.Any) -> t.Iterator[str]:
    """Yield every string in a value of any type, and numbers as strings."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, (str, int, float)) and value != "" and not isinstance(value, bool):
        yield to_text(value)

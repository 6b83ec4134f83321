# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What of a task's options nothing may show: tokens, and the variables that are sent to jobs."""

from __future__ import annotations

import json
import re
import typing as t

from ..._api.endpoints import to_text
from ..._api.masking import change_texts
from .arguments import VARIABLE_OPTIONS, Arguments, Options, all_names, each_given

# A shorter value, such as a number or `true`, cannot be masked without making results unreadable.
SHORTEST_VARIABLE = 8
# an address, right or not: with a scheme, or with user and password without one
_ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:[/\\]{2}|[^\s/:@]+:[^\s/@]+@[^\s/@.]+\.)\S*$", re.IGNORECASE)
# what stands in an address before its host, and behind its path
_CREDENTIALS = re.compile(r"(?<=:[/\\]{2})[^/\s]*@|^\s*[^\s/:@]+:[^\s/@]+@|[?#].*")
_USER_INFO = re.compile(r"\s*[a-z][a-z0-9+.-]*:[/\\]{2}([^\s/@]+)@", re.IGNORECASE)
_HIDDEN = "VALUE_NOT_SHOWN"
# as Ansible itself writes it
_NO_LOG = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def given_secrets(arguments: Arguments, params: Options) -> set[str]:
    """Return what was given as a token; known before the options are validated, and whatever is wrong with them.

    :param arguments: the options as Ansible's validators take them.
    """
    secret = all_names(arguments, "no_log")
    given = [value for name, value in params.items() if name in secret]
    # what is inside of a value of another type is a secret only if it can be told from other text
    inside = {text for value in given if not isinstance(value, str) for text in _texts(value)}
    # a blank is in every sentence, also in the one that refuses it
    return {value for value in given if isinstance(value, str) and value.strip()} | {
        text for text in (*inside, *_passwords(params)) if len(text) >= SHORTEST_VARIABLE
    }


def variable_values(arguments: Arguments, options: Options) -> set[str]:
    """Return the values of variables that a server must not repeat to the user.

    A value that the options show anyway, such as the name of a branch, is no secret.
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
    # a log shows a key line by line
    values.update(line.strip() for value in tuple(values) for line in value.split("\n"))
    hidden = (*(value for value in values if value not in visible), *_passwords(options))
    return {value for value in hidden if len(value) >= SHORTEST_VARIABLE}


def shown_options(arguments: Arguments, params: Options) -> dict[str, t.Any]:
    """Return the options as the invocation may show them, whether they are valid or not."""
    secret = all_names(arguments, "no_log")
    # lists of mappings may hold variables as well
    visible = all_names(arguments) - all_names(arguments, "options") - set(VARIABLE_OPTIONS)
    return {name: _shown(name, value, secret, visible) for name, value in params.items()}


def _shown(name: str, value: t.Any, secret: set[str], visible: set[str]) -> t.Any:
    if name in secret and value is not None:
        return _NO_LOG
    # what is none of the options may be a token under a wrong name
    if value is None or name in visible or name.startswith("_ansible"):
        return change_texts(value, _without_credentials)
    return dict.fromkeys(value, _HIDDEN) if isinstance(value, dict) else _HIDDEN


def _passwords(value: t.Any) -> t.Iterator[str]:
    """Yield what stands before the host of an address: in that of the repository of a job it is a token."""
    for text in _texts(value):
        found = _USER_INFO.match(text)
        if found:
            yield from (found.group(1), found.group(1).partition(":")[2])


def _without_credentials(text: str) -> str:
    """Return an address without user information and query, any other text as it is."""
    return _CREDENTIALS.sub("", text) if _ADDRESS.match(text) else text


def read_json(value: t.Any) -> t.Any:
    """Return what a JSON text holds, which variables may be written as; anything else as it is."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value


def _without_names(variables: t.Any) -> t.Any:
    """Return the values of variables that may be written as a list of dictionaries with `key` and `value`."""
    variables = read_json(variables)
    if not isinstance(variables, (list, tuple)):
        return variables
    return [entry.get("value") if isinstance(entry, dict) and "key" in entry else entry for entry in variables]


def _texts(value: t.Any) -> t.Iterator[str]:
    """Yield every text in a value of any type, and the value itself as the text that it may be taken for."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, (str, int, float)) and value != "" and not isinstance(value, bool):
        yield to_text(value)

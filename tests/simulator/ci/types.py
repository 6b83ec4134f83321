# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Types of keyword values, and GitLab's errors for other types."""

from __future__ import annotations

import typing as t

from .values import Block, CiError, as_list, flat

# The check for a value, and the error for other values, which follows the name of the key.
Types = t.Mapping[str, tuple[t.Callable[[t.Any], bool], str]]


def _is_texts(value: t.Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_script(value: t.Any) -> bool:
    return isinstance(value, str) or _is_texts(as_list(value))


def _are_paths(value: t.Any) -> bool:
    paths = value.get("paths") if isinstance(value, Block) else value
    return isinstance(paths, list) and _is_texts(flat(paths))


def _is_one_of(*types: type) -> t.Callable[[t.Any], bool]:
    # true and false are numbers to Python
    return lambda value: isinstance(value, types) and (bool in types or not isinstance(value, bool))


# Of the keywords of a job.
TYPES: t.Final[Types] = {
    "allow_failure": (_is_one_of(bool, Block), " allow failure should be a hash or a boolean value"),
    "dependencies": (_is_texts, " dependencies should be an array of strings"),
    "environment": (_is_one_of(str, Block), ":environment config should be a hash or a string"),
    "image": (_is_one_of(str, Block), ":image config should be a hash or a string"),
    "needs": (_is_one_of(list, Block), ":needs config can only be a hash or an array"),
    "parallel": (_is_one_of(int, Block), ":parallel should be an integer or a hash"),
    "resource_group": (_is_one_of(str), " resource group should be a string"),
    "retry": (_is_one_of(int, Block), ":retry has to be either an integer or a hash"),
    "rules": (_is_one_of(list), " rules should be an array containing hashes and arrays of hashes"),
    "services": (_is_one_of(list), ":services config should be a array"),
    "stage": (_is_one_of(str), ":stage config should be a string"),
    "tags": (_is_texts, ":tags config should be an array of strings"),
    "trigger": (_is_one_of(str, Block), ":trigger has to be either a string or a hash"),
    "variables": (_is_one_of(Block), ":variables config should be a hash"),
    **{
        name: (_is_one_of(list, Block), f":{name} has to be either an array of conditions or a hash")
        for name in ("only", "except")
    },
    **{
        name: (_is_script, f":{name} config should be a string or a nested array of strings up to 10 levels deep")
        for name in ("script", "before_script", "after_script")
    },
}
# Of the keys of a rule.
TYPES_OF_RULES: t.Final[Types] = {
    "allow_failure": (_is_one_of(bool), " allow failure should be a boolean value"),
    "changes": (_are_paths, ":changes config should be an array of strings"),
    "exists": (
        lambda value: isinstance(value, str) or _are_paths(value),
        ":exists config should be an array of strings",
    ),
    "needs": (_is_one_of(list, Block), ":needs config can only be a hash or an array"),
    "variables": (_is_one_of(Block), ":variables config should be a hash of key value pairs"),
}


def check_types(block: Block, types: Types, here: str) -> None:
    """Raise the first error about the type of a value.

    :raises CiError: with GitLab's message.
    """
    for key, (is_right, message) in types.items():
        if block.get(key) is not None and not is_right(block[key]):
            raise CiError(f"{here}{message}")

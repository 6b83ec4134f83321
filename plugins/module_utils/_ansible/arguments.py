# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Conversion of a task's options to argument specs for Ansible."""

from __future__ import annotations

import functools
import os
import typing as t

from ansible.module_utils.basic import FILE_COMMON_ARGUMENTS, env_fallback

from .._api.decoding import Record
from .._tasks.values.arguments import Arguments, ArgumentSpec
from .._tasks.values.connection import environment_extensions, environment_url

FILE_ARGUMENTS: Arguments = t.cast("t.Any", FILE_COMMON_ARGUMENTS)


def argument_rules(spec: ArgumentSpec) -> Record:
    """Return options and the rules between them in the form of Ansible's validators."""
    arguments = {name: dict(option) for name, option in spec.arguments.items()}
    for name, read in _FROM_ENVIRONMENT.items():
        arguments[name]["fallback"] = (functools.partial(_fall_back, read),)
    return {
        "argument_spec": arguments,
        "mutually_exclusive": [list(rule) for rule in spec.mutually_exclusive],
        "required_one_of": [list(rule) for rule in spec.required_one_of],
        "required_if": [list(rule) for rule in spec.required_if],
    }


def _fall_back(read: t.Callable[[t.Mapping[str, str]], t.Any]) -> t.Any:
    # without arguments, Ansible's own function raises its error for a missing variable
    return read(os.environ) or env_fallback()


_FROM_ENVIRONMENT: t.Mapping[str, t.Callable[[t.Mapping[str, str]], t.Any]] = {
    "api_url": environment_url,
    "extensions": environment_extensions,
}

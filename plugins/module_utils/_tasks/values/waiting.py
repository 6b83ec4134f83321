# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The options for waiting, and their conversion to a value."""

from __future__ import annotations

import dataclasses
import math
import typing as t

from ..._api.errors import UsageError
from ..._app.jobs.statuses import STATUSES, WAIT_TARGETS, is_finished
from ..._app.waiting.options import WaitOptions
from ..options import check_statuses, text_list
from .arguments import ArgumentSpec, Options
from .connection import Numbers, number_fields

_NUMBERS: Numbers = {
    "wait_timeout": ("timeout_seconds", 0, math.inf),
    "wait_interval": ("interval_seconds", 0.001, math.inf),
    "pending_timeout": ("pending_seconds", 0, math.inf),
    "log_lines": ("log_lines", 0, math.inf),
}
_DEFAULTS = WaitOptions()

WAITING = ArgumentSpec(
    arguments={
        "wait": {"type": "bool", "default": False},
        "wait_for": {"type": "list", "elements": "str"},
        "wait_timeout": {"type": "float", "default": _DEFAULTS.timeout_seconds},
        "wait_interval": {"type": "float", "default": _DEFAULTS.interval_seconds, "aliases": ["interval"]},
        "on_timeout": {"type": "str", "choices": ["fail", "continue"], "default": "fail"},
        "fail_on": {"type": "list", "elements": "str", "default": []},
    },
)

# Only for tasks that wait for single jobs.
JOB_WAITING = WAITING.merged(
    arguments={
        "pending_timeout": {"type": "float"},
        "ignore_allowed_failures": {"type": "bool", "default": False},
        "log_lines": {"type": "int", "default": 0},
        "log_follow": {"type": "bool", "default": False},
    },
)

PIPELINE_TARGETS = ("created", "finished", "success", "manual")
PIPELINE_WAITING = WAITING.merged(
    arguments={
        "wait_for": {"type": "list", "elements": "str", "choices": list(PIPELINE_TARGETS)},
        "pending_timeout": {"type": "float"},
        "log_lines": {"type": "int", "default": 20},
    },
)

# For tasks that act: on timeout they can cancel what they started, and they fail if it does not succeed.
ACTION_WAITING = ArgumentSpec(
    arguments={
        "on_timeout": {"type": "str", "choices": ["fail", "cancel", "continue"], "default": "fail"},
        "fail_on": {"type": "list", "elements": "str", "default": ["failed", "canceled", "skipped"]},
        "log_lines": {"type": "int", "default": 20},
    }
)


def wait_options(options: Options) -> WaitOptions:
    """Return how to wait.

    :raises UsageError: for values that cannot be used.
    """
    for name in ("wait_for", "pending_timeout", "log_follow"):
        value = options.get(name)
        if value is not None and value is not False and not options.get("wait"):
            raise UsageError(f"{name} needs wait: true")
    if options.get("wait_for") == []:
        raise UsageError("wait_for is an empty list, which nothing can reach; omit it to wait for the end")
    targets = text_list(options, "wait_for") or ("finished",)
    check_statuses("wait_for", targets, tuple(dict.fromkeys((*WAIT_TARGETS, *STATUSES))))
    fail_on = text_list(options, "fail_on")
    check_statuses("fail_on", fail_on, tuple(filter(is_finished, STATUSES)))
    return WaitOptions(
        wait=bool(options.get("wait")),
        targets=targets,
        on_timeout=str(options.get("on_timeout") or _DEFAULTS.on_timeout),
        fail_on=fail_on,
        ignore_allowed_failures=bool(options.get("ignore_allowed_failures")),
        log_follow=bool(options.get("log_follow")),
        wait_for_approval=bool(options.get("wait_for_approval")),
        **number_fields(_NUMBERS, options),
    )


def pipeline_waiting(options: Options, targets: t.Sequence[str] = ("success",)) -> WaitOptions:
    """Return how to wait for a pipeline.

    :param targets: what to wait for if the options do not set it.
    :raises UsageError: for values that cannot be used.
    """
    waiting = wait_options(options)
    return waiting if options.get("wait_for") else dataclasses.replace(waiting, targets=tuple(targets[:1]))

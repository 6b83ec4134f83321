# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the rules of the golden files with cimulator, if it supports them; for `make second_opinion`.

cimulator evaluates `if` with eval, and reports if it cannot. It does not support null, `changes`, `exists` and unset
variables on the left side of an expression, nor `only`, `parallel` and child pipelines.
"""

from __future__ import annotations

import contextlib
import io
import typing as t

from cimulator.workflow import evaluate_rules

from tests.simulator.ci.config import Config, make_config
from tests.simulator.ci.context import Context, predefined
from tests.simulator.ci.include import Includer
from tests.simulator.ci.notes import Notes
from tests.simulator.ci.rules import Matcher
from tests.simulator.ci.values import CiError, flat
from tests.simulator.ci.variables import values
from tests.simulator_tests.test_ci_files import CASES, CONTEXTS, KINDS, case_names, file_of

_UNREADABLE = ("null", "true", "false", "!~")


def read(name: str, context: Context) -> Config | None:
    """Return the configuration of a case, or None if the case is invalid on purpose."""
    notes = Notes()
    known = predefined(context)
    includer = Includer(CASES / name, Matcher(context, None, notes), known, notes)
    try:
        return make_config(includer.read(file_of(CASES / name)), notes, is_whole=True)
    except CiError:
        return None


def is_readable(rules: t.Any) -> bool:
    """Return whether cimulator supports everything in these rules."""
    for rule in flat(rules):
        if {"changes", "exists"} & rule.keys() or any(word in str(rule.get("if")) for word in _UNREADABLE):
            return False
    return True


def all_rules(config: Config, context: Context) -> t.Iterator[tuple[str, t.Any, dict[str, str]]]:
    """Yield the place of each list of rules, the rules, and the variables that apply to them."""
    base = {**predefined(context), **config.variables}
    if config.workflow.get("rules"):
        yield "workflow", config.workflow["rules"], base
    for name, job in config.jobs.items():
        if job.get("rules"):
            yield name, job["rules"], {**base, "CI_JOB_NAME": name, **values(job.get("variables"))}


def cimulator_result(rules: t.Any, variables: dict[str, str]) -> bool | None:
    """Return cimulator's result, or None if it could not evaluate an expression."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        found = bool(evaluate_rules([dict(rule) for rule in flat(rules)], variables)[0])
    return None if "Error evaluating" in output.getvalue() else found


def test_rules_are_evaluated_as_by_cimulator() -> None:
    compared, differ = 0, []
    for case in case_names():
        for kind in KINDS:
            config = read(case, CONTEXTS[kind])
            if config is None:
                continue
            matcher = Matcher(CONTEXTS[kind], None, Notes())
            for place, rules, variables in all_rules(config, CONTEXTS[kind]):
                their = cimulator_result(rules, variables) if is_readable(rules) else None
                if their is None:
                    continue
                compared += 1
                ours = matcher.first(rules, variables) is not None
                if ours is not their:
                    differ.append(f"{case} {kind} {place}: ours {ours}, cimulator {their}")
    assert not differ, "\n".join(differ)
    # cimulator must not skip everything
    assert compared >= 80, compared
    print(f"{compared} decisions are the same")

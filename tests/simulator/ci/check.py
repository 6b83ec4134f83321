# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of a configuration that do not depend on a ref, with GitLab's error messages."""

from __future__ import annotations

import typing as t

from . import expressions, parallel
from .config import DOES_NOTHING, Config
from .keywords import below
from .types import TYPES, TYPES_OF_RULES, check_types
from .values import Block, CiError, as_list, block_in, flat, text

_WHEN: t.Final = ("on_success", "on_failure", "always", "manual", "delayed")
_WHEN_OF_RULES: t.Final = ("on_success", "on_failure", "always", "never", "manual", "delayed")
_WHEN_OF_OTHERS: t.Final = ("always", "never")
_NOT_WITH_RULES: t.Final = ("only", "except", "start_in")
_MAX_NEEDS: t.Final = 50
_LONGEST_NAME: t.Final = 255
_STRATEGIES: t.Final = ("depend", "mirror")
_OF_NEEDS: t.Final = frozenset({"job", "project", "pipeline"})
_ACTIONS: t.Final = ("start", "stop", "prepare", "verify", "access")
_OF_TRIGGER_JOBS: t.Final = frozenset(
    {
        "allow_failure", "environment", "except", "extends", "inherit", "inputs", "interruptible",
        "manual_confirmation", "needs", "only", "parallel", "resource_group", "rules", "stage", "trigger", "variables",
        "when",
    }
)  # fmt: skip


def check(config: Config) -> None:
    """Raise the first error of a configuration.

    :raises CiError: with GitLab's message.
    """
    if not config.jobs and config.is_whole:
        raise CiError("jobs config should contain at least one visible job")
    _check_keys(config.workflow, "workflow", "workflow")
    check_rules(config.workflow.get("rules"), "workflow:rules")
    for name, job in config.jobs.items():
        _check_job(name, job, config)
    bases = parallel.bases(config.jobs)
    for name, job in config.jobs.items():
        _check_stage(name, job, config)
        _check_needs(name, job, config, bases)
        _check_on_stop(name, job, config)
    done: set[str] = set()
    for name in config.jobs:
        _check_circle(name, config, [], done)


def _check_circle(name: str, config: Config, above: list[str], done: set[str]) -> None:
    if name in done:
        return
    if name in above:
        circle = str(above[above.index(name) :]).replace("'", '"')
        raise CiError(f"The pipeline has circular dependencies: topological sort failed: {circle}")
    for needed, _optional, _block in needed_names(config.jobs[name].get("needs")):
        # Cycles are only possible within a stage.
        if needed in config.jobs and config.jobs[needed].get("stage") == config.jobs[name].get("stage"):
            _check_circle(needed, config, [*above, name], done)
    done.add(name)


def _check_keys(block: Block, keyword: str, shown: str) -> None:
    unknown = [key for key in block if key not in below(keyword)]
    if unknown:
        raise CiError(f"{shown} config contains unknown keys: {', '.join(unknown)}")


def _check_job(name: str, job: Block, config: Config) -> None:
    here = f"jobs:{name}"
    if len(name) > _LONGEST_NAME:
        raise CiError(f"{here} name is too long (maximum is {_LONGEST_NAME} characters)")
    _check_keys(job, "", here)
    for key in ("environment", "trigger", "allow_failure", "retry"):
        if isinstance(job.get(key), Block):
            _check_keys(job[key], key, f"{here}:{key}")
    does = any(job.get(key) for key in ("script", "run", "trigger"))
    mirrors = isinstance(job.get("needs"), Block) and "pipeline" in job["needs"]
    if not does and not mirrors and config.is_whole:
        raise CiError(f"jobs {name} {DOES_NOTHING}")
    whens = _WHEN[:4] if job.get("trigger") else _WHEN
    others = [key for key in job if key not in _OF_TRIGGER_JOBS] if job.get("trigger") else []
    if others:
        raise CiError(f"{here} config contains unknown keys: {', '.join(others)}")
    if job.get("when") is not None and job["when"] not in whens:
        raise CiError(f"{here} when should be one of: {', '.join(whens)}")
    check_types(job, TYPES, here)
    if job.get("when") == "delayed" and job.get("start_in") is None:
        raise CiError(f"{here} start in should be a duration")
    if job.get("rules") is not None:
        both = [key for key in _NOT_WITH_RULES if job.get(key) is not None]
        if both:
            raise CiError(f"{here} config key may not be used with `rules`: {', '.join(both)}")
        check_rules(job["rules"], f"{here}:rules", _WHEN_OF_RULES)
    elif job.get("start_in") is not None and job.get("when") != "delayed":
        raise CiError(f"{here} start in must be blank")
    for key in ("only", "except"):
        policy = job.get(key)
        if isinstance(policy, Block):
            _check_keys(policy, key, f"{here}:{key}")
            for expression in as_list(policy.get("variables")):
                _check_expression(text(expression), f"{here}:{key} variables invalid expression syntax")
        refs = policy.get("refs") if isinstance(policy, Block) else policy
        if not all(_is_ref(ref) for ref in as_list(refs)):
            what = "an array of strings or regular expressions using re2 syntax"
            raise CiError(f"{here}:{key} {'refs' if isinstance(policy, Block) else 'config'} should be {what}")
    _check_plain(here, job)


def _check_plain(here: str, job: Block) -> None:
    retry = job.get("retry")
    maximum = retry.get("max", 0) if isinstance(retry, Block) else retry
    if maximum is not None and maximum not in (0, 1, 2):
        what = "max" if isinstance(retry, Block) else "config"
        raise CiError(f"{here}:retry {what} must be less than or equal to 2")
    environment = job.get("environment")
    if environment is not None and not (environment.get("name") if isinstance(environment, Block) else environment):
        raise CiError(f"{here}:environment name can't be blank")
    if isinstance(environment, Block) and environment.get("action") not in (None, *_ACTIONS):
        raise CiError(f"{here}:environment action should be start, stop, prepare, verify, or access")
    trigger = job.get("trigger")
    if isinstance(trigger, Block) and trigger.get("strategy") not in (None, *_STRATEGIES):
        raise CiError(f"{here}:trigger strategy should be one of: {', '.join(_STRATEGIES)}")


def check_rules(rules: t.Any, here: str, whens: tuple[str, ...] = _WHEN_OF_OTHERS) -> None:
    """Raise the first error of the rules of a job, of the workflow, or of an include.

    :raises CiError: with GitLab's message.
    """
    if rules is not None and not isinstance(rules, list):
        raise CiError(f"{here} config should be an array of hashes")
    if rules is not None and not rules:
        raise CiError(f"{here} config can't be blank")
    keyword = here if here in ("workflow:rules", "include:rules") else "rules"
    for rule in flat(rules or []):
        if rule is None:
            continue
        if not isinstance(rule, Block):
            raise CiError(f"{here}:rule config should be a hash")
        if not rule:
            raise CiError(f"{here}:rule config can't be blank")
        _check_keys(rule, keyword, f"{here}:rule")
        check_types(rule, TYPES_OF_RULES, f"{here}:rule")
        if "if" in rule:
            _check_expression(text(rule["if"]), f"{here}:rule if invalid expression syntax")
        if rule.get("when") is not None and rule["when"] not in whens:
            raise CiError(f"{here}:rule when unknown value: {rule['when']}")
        if rule.get("when") == "delayed" and rule.get("start_in") is None:
            raise CiError(f"{here}:rule start in can't be blank")
        if rule.get("when") != "delayed" and "start_in" in rule:
            raise CiError(f"{here}:rule config contains disallowed keys: start_in")


def _is_ref(value: t.Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        expressions.as_regex(value.partition("@")[0])
    except expressions.ExpressionError:
        return False
    return True


def _check_expression(expression: str, message: str) -> None:
    try:
        expressions.check(expression)
    except expressions.ExpressionError as error:
        raise CiError(f"{message} ({expression}: {error})") from error


def _check_stage(name: str, job: Block, config: Config) -> None:
    stage = job.get("stage", "test")
    if stage not in config.stages:
        raise CiError(
            f"{name} job: chosen stage {stage} does not exist; available stages are {', '.join(config.stages)}"
        )


def needed_names(needs: t.Any) -> list[tuple[str, bool, Block | None]]:
    """Return (name, whether it is optional, its mapping) for the jobs of the same pipeline that a job needs."""
    found: list[tuple[str, bool, Block | None]] = []
    for need in as_list(needs):
        if isinstance(need, str):
            found.append((need, False, None))
        elif isinstance(need, Block) and "job" in need and not {"project", "pipeline"} & need.keys():
            found.append((text(need["job"]), need.get("optional") is True, need))
    return found


def _check_needs(name: str, job: Block, config: Config, bases: dict[str, str]) -> None:
    rules = [rule for rule in flat(job.get("rules") or []) if isinstance(rule, Block)]
    for needs in (job.get("needs"), *(rule.get("needs") for rule in rules)):
        for need in as_list(needs):
            if not isinstance(need, str | Block) or (isinstance(need, Block) and not _OF_NEEDS & need.keys()):
                raise CiError(f"jobs:{name}:needs:need has an unsupported type")
            if isinstance(need, Block):
                _check_keys(need, "needs", f"jobs:{name}:needs:need")
        names = needed_names(needs)
        if len(names) > _MAX_NEEDS:
            text_of_limit = f"one job can only need {_MAX_NEEDS} others, but you have listed {len(names)}"
            raise CiError(f"{name}: {text_of_limit}. See needs keyword documentation for more details")
        for needed, optional, _block in names:
            _check_earlier(name, "need", bases.get(needed, needed), config, optional=optional)
        whole = [needed for needed, _optional, block in names if block is None or "parallel" not in block]
        twice = [needed for needed in dict.fromkeys(whole) if whole.count(needed) > 1]
        if twice:
            raise CiError(f"{name} has the following needs duplicated: {', '.join(twice)}.")
    dependencies = as_list(job.get("dependencies"))
    needed_too = [needed for needed, _optional, _block in needed_names(job.get("needs"))]
    missing = [one for one in dependencies if needed_too and one not in needed_too]
    if missing:
        raise CiError(f"jobs:{name} dependencies the {', '.join(missing)} should be part of needs")
    for dependency in dependencies:
        _check_earlier(name, "dependency", bases.get(dependency, dependency), config, optional=False)


def _check_earlier(name: str, kind: str, other: str, config: Config, *, optional: bool) -> None:
    if other not in config.jobs:
        if not optional and config.is_whole:
            raise CiError(f"{name} job: undefined {kind}: {other}")
        return
    stages = [config.stages.index(config.jobs[one].get("stage", "test")) for one in (other, name)]
    if stages[0] > stages[1]:
        raise CiError(f"{name} job: {kind} {other} is not defined in current or prior stages")
    if kind == "need" and other == name:
        raise CiError(f"The pipeline has circular dependencies: self-dependency: {name}")


def _check_on_stop(name: str, job: Block, config: Config) -> None:
    environment = job.get("environment")
    other = environment.get("on_stop") if isinstance(environment, Block) else None
    if other is None or not config.is_whole:
        return
    if not isinstance(other, str):
        raise CiError(f"jobs:{name}:environment on stop should be a string")
    if other not in config.jobs:
        raise CiError(f"{name} job: on_stop job {other} is not defined")
    theirs = config.jobs[other].get("environment")
    if theirs is None:
        raise CiError(f"{name} job: on_stop job {other} does not have environment defined")
    if (theirs.get("name") if isinstance(theirs, Block) else theirs) != block_in(job, "environment")["name"]:
        raise CiError(f"{name} job: on_stop job {other} have different environment name")
    if not isinstance(theirs, Block) or theirs.get("action") != "stop":
        raise CiError(f"{name} job: on_stop job {other} needs to have action stop defined")

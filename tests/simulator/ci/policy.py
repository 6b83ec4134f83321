# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`only` and `except`, the predecessors of `rules`.

Source: https://docs.gitlab.com/ci/yaml/deprecated_keywords/#only--except
"""

from __future__ import annotations

import typing as t

from . import expressions
from .context import Context
from .rules import Matcher
from .values import Block, as_list, text

_DEFAULT_ONLY: t.Final = ("branches", "tags")
# Irregular plurals of sources.
_PLURALS: t.Final = {"push": "pushes"}


def is_included(job: Block, matcher: Matcher, variables: t.Mapping[str, str], *, has_default: bool) -> bool:
    """Return whether a job without rules is in the pipeline.

    :param has_default: jobs without `only` are for branches and tags; with `workflow:rules`, they are for everything.
    """
    only = _conditions(job.get("only"))
    if "only" in job or has_default:
        only.setdefault("refs", list(_DEFAULT_ONLY))
    held_only = [_holds(key, value, job.get("only"), matcher, variables) for key, value in only.items()]
    excepted = _conditions(job.get("except"))
    held_except = [_holds(key, value, job.get("except"), matcher, variables) for key, value in excepted.items()]
    return all(held_only) and not any(held_except)


def _conditions(given: t.Any) -> dict[str, t.Any]:
    if given is None:
        return {}
    if isinstance(given, Block):
        return {key: given[key] for key in ("refs", "variables", "changes") if given.get(key) is not None}
    return {"refs": as_list(given)}


def _holds(key: str, value: t.Any, policy: t.Any, matcher: Matcher, variables: t.Mapping[str, str]) -> bool:
    if key == "refs":
        return any(_fits(text(pattern), matcher.context) for pattern in as_list(value))
    if key == "variables":
        return any(matcher.holds(text(expression), variables) for expression in as_list(value))
    return matcher.has_changed(policy, variables)


def _fits(pattern: str, context: Context) -> bool:
    """Return whether one of `refs` matches: a keyword for a kind of pipeline, a ref name, or an expression for it."""
    word, _at, path = pattern.partition("@")
    if path and path != context.project:
        return False
    source = context.source.removesuffix("_event")
    if word in (source, _PLURALS.get(source, f"{source}s")):
        return True
    if (word == "tags" and context.tag) or (word == "branches" and context.is_branch):
        return True
    # Names match branches and tags, not the refs of merge requests.
    if context.merge_request is not None:
        return False
    regex = expressions.as_regex(word)
    return regex.search(context.ref) if regex else word == context.ref

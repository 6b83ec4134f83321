# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each keyword of GitLab's reference is either followed, or named as not followed."""

from __future__ import annotations

import pathlib

from tests.simulator.ci import keywords

# Written down from the headings of https://docs.gitlab.com/ci/yaml/ and of the pages artifacts_reports and
# deprecated_keywords beside it, from the keys that the text below a heading names, and from the properties of GitLab's
# own JSON schema for editors (app/assets/javascripts/editor/schema/ci.json); not made from the code.
REFERENCE = pathlib.Path(__file__).with_name("ci_keywords.txt")


def reference() -> set[str]:
    lines = REFERENCE.read_text(encoding="utf-8").splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def test_the_two_lists_hold_the_whole_reference() -> None:
    known = keywords.FOLLOWED | keywords.NOT_FOLLOWED.keys()
    assert reference() - known == set()


def test_no_keyword_is_in_both() -> None:
    assert keywords.FOLLOWED & keywords.NOT_FOLLOWED.keys() == set()


def test_what_is_in_the_lists_is_in_the_reference() -> None:
    assert (keywords.FOLLOWED | keywords.NOT_FOLLOWED.keys()) - reference() == set()

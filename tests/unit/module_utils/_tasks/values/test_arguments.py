# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Null counts as unset; unknown options are rejected, even if they are null."""

from __future__ import annotations

from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_release_gate import TASK
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.arguments import without_nulls


def test_null_is_removed_unless_the_option_is_unknown():
    gate = {"name": "build", "action": "wait", "stage": None, "nmae": None}
    given = {"api_token": None, "access_token": None, "titel": None, "projects": [{"ref": None, "gates": [gate, None]}]}
    assert without_nulls(TASK.spec.arguments, given) == {
        "titel": None,
        "projects": [{"gates": [{"name": "build", "action": "wait", "nmae": None}, None]}],
    }

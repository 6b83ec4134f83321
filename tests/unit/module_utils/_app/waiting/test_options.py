# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors about the options of a wait."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting.options import WaitOptions, timed_out_text


@pytest.mark.parametrize(("seconds", "words"), [(0.5, "0.5 s"), (3600.0, "3600 s"), (1_209_600.0, "1209600 s")])
def test_timeout_text_shows_seconds_as_digits(seconds, words):
    assert timed_out_text(WaitOptions(timeout_seconds=seconds)) == f"timed out after {words} (wait_timeout)"

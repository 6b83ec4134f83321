# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a session knows about the server."""

from __future__ import annotations

import pytest

from ...harness import FunctionTransport, job, new_session


@pytest.mark.parametrize(
    ("told", "user_id"), [({"id": 3}, 3), ({"id": 0}, None), ({"id": True}, None), ({"id": "3"}, None), ([], None)]
)
def test_whose_the_token_is_counts_only_where_it_is_told(told, user_id):
    session = new_session(
        FunctionTransport(lambda call: job(user=told)), {"api_token": None, "api_job_token": "x" * 20}
    )
    assert session.user_id() == user_id

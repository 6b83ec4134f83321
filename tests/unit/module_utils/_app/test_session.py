# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a session knows about the server."""

from __future__ import annotations

import pytest

from ...harness import FunctionTransport, job, new_session


@pytest.mark.parametrize(
    ("user", "user_id"), [({"id": 3}, 3), ({"id": 0}, None), ({"id": True}, None), ({"id": "3"}, None), ([], None)]
)
def test_user_id_is_none_unless_it_is_a_positive_integer(user, user_id):
    session = new_session(
        FunctionTransport(lambda call: job(user=user)), {"api_token": None, "api_job_token": "x" * 20}
    )
    assert session.user_id() == user_id

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verify the signature of a hook with the reference library of Standard Webhooks."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.simulator.hooks.config import read_hook
from tests.simulator.hooks.delivery import Delivery
from tests.simulator.versions import Features

TOKEN = "whsec_" + base64.b64encode(bytes(range(32))).decode()
BODY = json.dumps({"object_kind": "build", "build_name": "größe"}).encode()


def delivery(*faults: t.Any) -> Delivery:
    features = Features("19.2")
    row = {"url": "http://127.0.0.1/", "signing_token": TOKEN, "faults": list(faults)}
    hook = read_hook(row, features, place="hooks[0]")
    fault = hook.fault("job", "success")
    return Delivery(hook, "job", "success", 1, BODY, "http://127.0.0.1", features, fault, at=0.0)


def test_hook_signature_is_valid() -> None:
    assert Webhook(TOKEN).verify(BODY, delivery().headers())["build_name"] == "größe"


@pytest.mark.parametrize("fault", ["wrong_signature", "old"])
def test_faulty_hook_signature_is_refused(fault: str) -> None:
    with pytest.raises(WebhookVerificationError):
        Webhook(TOKEN).verify(BODY, delivery(fault).headers())

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test the secrets: which deliveries come from GitLab."""

from __future__ import annotations

import hmac

import pytest
from jobgate_gitlab_events import signatures
from jobgate_gitlab_events.signatures import key_of, sign
from multidict import CIMultiDict

from .support import JOB, NOW, OTHER_SIGNING, OTHER_TOKEN, SIGNING, TOKEN, encoded, signed, with_token, world

BODY = encoded(JOB)


# Computed with `openssl dgst -sha256 -mac HMAC -macopt hexkey:...`, not with the code under test.
@pytest.mark.parametrize(
    ("token", "delivery", "timestamp", "body", "signature"),
    [
        (
            SIGNING,
            "delivery-1",
            "1700000000",
            '{"object_kind":"build","build_name":"d\u00e9ploy"}',
            "v1,A5AZzCRMaAR7pXxYzi3hzdj/ccDZ5l4Ol+pQTKaruJE=",
        ),
        (OTHER_SIGNING, "a.b", "1700000001", "{}", "v1,AbLs8VudM/TTn6FvvYAYHk5v+aKLcdI/EpIAmMTJmZA="),
    ],
)
def test_signatures_match_those_of_openssl(
    token: str, delivery: str, timestamp: str, body: str, signature: str
) -> None:
    assert sign(key_of(token), delivery, timestamp, body.encode("utf-8")) == signature


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "begins with whsec_"),
        ("whsec_%secret%", "not base64"),
        ("whsec_MDEyMzQ1Njc4 OWFiY2RlZg==", "not base64"),
        ("whsec_MDEyMzQ1Njc4OWFiY2Rl", "too short"),
        ("whsec_", "too short"),
    ],
)
def test_invalid_signing_tokens_are_refused(token: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        key_of(token)
    assert not token.removeprefix("whsec_") or token.removeprefix("whsec_") not in str(caught.value)


def test_signing_token_of_16_bytes_is_accepted() -> None:
    assert key_of("whsec_MDEyMzQ1Njc4OWFiY2RlZg==") == b"0123456789abcdef"


def test_signed_delivery_is_accepted() -> None:
    assert world().send(signed(BODY), BODY).status == 200


def test_one_valid_signature_among_several_is_accepted() -> None:
    """GitLab may sign with two keys during a key rotation."""
    headers = signed(BODY)
    headers["webhook-signature"] = "v1,AAAA v2,BBBB " + headers["webhook-signature"]
    assert world().send(headers, BODY).status == 200


@pytest.mark.parametrize("token", [SIGNING, OTHER_SIGNING])
def test_any_signing_token_of_a_list_is_accepted(token: str) -> None:
    assert world(signing_token=[SIGNING, OTHER_SIGNING]).send(signed(BODY, signing_token=token), BODY).status == 200


@pytest.mark.parametrize("token", [TOKEN, OTHER_TOKEN])
def test_any_token_of_a_list_is_accepted(token: str) -> None:
    assert world(token=[TOKEN, OTHER_TOKEN]).send(with_token(token=token), BODY).status == 200


FORGED: dict[str, dict[str, str | None]] = {
    "no signature": {"webhook-signature": None},
    "an empty signature": {"webhook-signature": ""},
    "another version": {"webhook-signature": signed(BODY)["webhook-signature"].replace("v1,", "v2,")},
    "no version": {"webhook-signature": signed(BODY)["webhook-signature"].removeprefix("v1,")},
    "a truncated signature": {"webhook-signature": signed(BODY)["webhook-signature"][:-2]},
    "another key": {"webhook-signature": signed(BODY, signing_token=OTHER_SIGNING)["webhook-signature"]},
    "another body": {"webhook-signature": signed(BODY + b" ")["webhook-signature"]},
    "another id": {"webhook-id": "delivery-2"},
    "another time": {"webhook-timestamp": str(int(NOW) + 1)},
    "no id": {"webhook-id": None},
    "no time": {"webhook-timestamp": None},
    "a time with a sign": {"webhook-timestamp": f"+{int(NOW)}"},
    "a time with a blank": {"webhook-timestamp": f" {int(NOW)}"},
    "a time in other digits": {"webhook-timestamp": "\u0661\u0668\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660"},
    "a time of 5,000 digits": {"webhook-timestamp": "9" * 5000},
    "not UTF-8": {"webhook-signature": "v1,\udcff"},
}


@pytest.mark.parametrize("changes", FORGED.values(), ids=FORGED)
def test_forged_delivery_is_refused(changes: dict[str, str | None]) -> None:
    headers = signed(BODY)
    for name, value in changes.items():
        if value is None:
            del headers[name]
        else:
            headers[name] = value
    source = world()
    assert source.send(headers, BODY).status == 401
    assert source.backlog.events == source.backlog.bytes == 0


@pytest.mark.parametrize("name", ["webhook-id", "webhook-signature"])
def test_unsigned_delivery_is_refused_before_its_body_is_read(name: str) -> None:
    headers = signed(BODY)
    del headers[name]
    refused = world().receiver.refuse("POST", "/", headers, len(BODY))
    assert refused is not None and (refused.status, refused.text) == (401, "the delivery is not signed")


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "X-Gitlab-Token"])
def test_duplicate_security_header_is_refused(name: str) -> None:
    """A proxy may have checked the other value."""
    headers = signed(BODY, X_Gitlab_Token=TOKEN)
    headers.add(name, headers[name])
    assert world(token=TOKEN, signing_token=SIGNING).send(headers, BODY).status == 401


@pytest.mark.parametrize(
    ("age", "status"), [(0, 200), (300, 200), (-300, 200), (301, 401), (-301, 401), (86400, 401), (NOW, 401)]
)
def test_delivery_outside_the_tolerance_is_refused(age: float, status: int) -> None:
    assert world().send(signed(BODY, at=NOW - age), BODY).status == status


def test_tolerance_option_limits_the_age_of_deliveries() -> None:
    assert world(tolerance=5).send(signed(BODY, at=NOW - 6), BODY).status == 401
    assert world(tolerance=5).send(signed(BODY, at=NOW - 5), BODY).status == 200


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\udcff"])
def test_wrong_token_is_refused(token: str) -> None:
    assert world(token=TOKEN).send(with_token(token=token), BODY).status == 401


def test_missing_token_is_refused() -> None:
    assert world(token=TOKEN).send(CIMultiDict(), BODY).status == 401


def test_both_secrets_must_be_right_if_both_are_set() -> None:
    source = world(token=TOKEN, signing_token=SIGNING)
    assert source.send(signed(BODY), BODY).status == 401
    assert source.send(with_token(), BODY).status == 401
    assert source.send(signed(BODY, X_Gitlab_Token=OTHER_TOKEN), BODY).status == 401
    assert source.send(signed(BODY, X_Gitlab_Token=TOKEN, signing_token=OTHER_SIGNING), BODY).status == 401
    assert source.send(signed(BODY, X_Gitlab_Token=TOKEN), BODY).status == 200


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every secret is compared, even after a match, and only with compare_digest."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    class Spy:
        compare_digest = staticmethod(compare)
        digest = staticmethod(hmac.digest)

    monkeypatch.setattr(signatures, "hmac", Spy)
    source = world(token=[TOKEN, OTHER_TOKEN], signing_token=[SIGNING, OTHER_SIGNING])
    assert source.send(signed(BODY, X_Gitlab_Token=TOKEN), BODY).status == 200
    assert len(compared) == 4

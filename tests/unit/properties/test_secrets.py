# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Output never contains a secret, however a server or an encoding changes it."""

from __future__ import annotations

import base64
import html
import json
import re
from unittest import mock
from urllib.parse import quote, quote_plus, unquote

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import libraries
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import GitLabError, RequestError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.forms import SHORTEST_SECRET
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Response
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.masking import MASK, Masker, change_texts, encodable
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting import logs
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions.hookspecs import hookimpl
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import (
    gitlab_job_action,
    gitlab_job_info,
    gitlab_pipeline,
    gitlab_pipeline_info,
)
from hypothesis import given
from hypothesis import strategies as st

from ..harness import TOKEN, FakeClock, FunctionTransport, Progress, job, new_session, pipeline, run_task
from .support import any_text, examples, nested

# A secret that contains asterisks could be composed of masks.
plain_secrets = st.text(alphabet="abcXYZ0189-._~", min_size=4, max_size=24)
secrets = st.one_of(
    plain_secrets,
    st.text(alphabet="ab1+/=%&?# \"\\'<>:;,éß日😀", min_size=4, max_size=12).filter(lambda text: text == text.strip()),
)
around = st.text(max_size=12)

ENCODINGS = {
    "unchanged": str,
    "URL": lambda text: quote(text, safe=""),
    "URL with slashes": quote,
    "URL of a form": quote_plus,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON with characters": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON of PHP": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "HTML": html.escape,
    "Python": lambda text: repr(text)[1:-1],
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 of URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
}


def remains(form: str, masked: str, before: str, after: str) -> bool:
    """Return whether the result contains a form that neither the mask nor the surrounding text explains."""
    return form in masked and form not in before + MASK + after


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@examples(60)
@given(secret=secrets, before=around, after=around)
def test_every_encoding_of_a_secret_is_masked(encode, secret, before, after):
    form = encode(secret)
    masked = Masker([secret]).mask(before + form + after)
    assert not remains(form, masked, before, after)
    assert not remains(secret, masked, before, after)


def test_url_encoding_is_masked_in_either_case():
    masker = Masker(["a+b/c=dé"])
    assert masker.mask("a%2bb%2fc%3dd%c3%a9 a%2Bb%2Fc%3Dd%C3%A9") == f"{MASK} {MASK}"


@examples(100)
@given(st.data(), secrets)
def test_secrets_in_nested_values_are_masked(data, secret):
    leaf = st.one_of(st.none(), st.booleans(), st.integers(), around, around.map(lambda text: text + secret))
    value = data.draw(nested(leaf))
    masked = json.dumps(Masker([secret]).mask_value(value), ensure_ascii=False)
    clean = json.dumps(Masker([secret]).mask_value(json.loads(masked)), ensure_ascii=False)
    assert clean == masked
    if secret not in MASK:
        assert json.dumps(secret, ensure_ascii=False)[1:-1] not in masked or '"' in secret or "\\" in secret


@pytest.mark.parametrize("orjson", [libraries.orjson, None], ids=["orjson", "json"])
@examples(300)
@given(st.data(), secrets)
def test_values_skipped_by_their_json_need_no_masking(orjson, data, secret):
    texts = st.one_of(
        st.text(alphabet="ab", max_size=4), st.text(alphabet='ab"\\n%&;#4\n\t\x1b\x7fé\u200b\u2028\ud800', max_size=8)
    )
    leaf = st.one_of(st.none(), st.integers(), texts, texts.map(lambda text: text + secret + text))
    value = {"ref": data.draw(leaf), **data.draw(st.dictionaries(texts, nested(leaf, max_leaves=2), max_size=1))}
    masker = Masker([secret])
    with mock.patch.object(libraries, "orjson", orjson):
        masked, shown = masker.mask_value([value])[0], masker.shown_value([value])[0]
    assert masked == change_texts(value, lambda text: encodable(masker.mask(text)))
    assert shown == change_texts(value, masker.block)


@examples(100)
@given(secrets, any_text, any_text, st.sampled_from(["\x1b[0m", "\x00", "\r", "\x9b1m", "\x1b]0;x\x07"]), st.data())
def test_removing_codes_does_not_assemble_a_secret(secret, before, after, code, data):
    at = data.draw(st.integers(min_value=0, max_value=len(secret)))
    line = Masker([secret]).line(f"{before}\n{secret[:at]}{code}{secret[at:]}\n{after}")
    clean = Masker([secret]).line(before + "\n" + after)
    assert secret not in line or secret in clean or secret in f"{clean}{MASK}"


# ----- through the client, from every place where a server can return it -----

SECRET_TOKENS = st.one_of(st.just(TOKEN), st.text(alphabet="abcXYZ0189-._~+/=%&\"'<>", min_size=16, max_size=24))
PLACES = ("message", "error_description", "error", "nested", "text", "html", "id", "location", "type", "reason")


def echoing(place: str, echo: str, status: int) -> Response:
    headers = {"content-type": "application/json"}
    content: object = {"message": "no"}
    if place in ("message", "error_description", "error"):
        content = {place: f"what is {echo}?"}
    elif place == "nested":
        content = {"message": {"base": [f"token {echo} is wrong"]}}
    elif place == "id":
        headers["x-request-id"] = echo
    elif place == "location":
        headers["location"] = f"https://elsewhere.example/{echo}?{echo}"
    elif place == "type":
        headers["content-type"] = f"text/{echo}"
        content = ""
    elif place == "reason":
        headers.update({"retry-after": echo, "ratelimit-reset": echo, "link": f"<{echo}>; rel=next"})
    body = json.dumps(content).encode()
    if place == "text":
        body = f"{echo} went wrong".encode()
    elif place == "html":
        headers["content-type"] = "text/html"
        body = f"<html><body>{echo}</body></html>".encode()
    return Response(status=status, headers=headers, body=body)


@examples(150)
@given(
    token=SECRET_TOKENS,
    place=st.sampled_from(PLACES),
    status=st.sampled_from([200, 204, 301, 302, 400, 401, 403, 404, 405, 409, 418, 422, 429, 500, 502, 503]),
    before=st.one_of(st.text(max_size=8), st.integers(0, 400).map("x".__mul__)),
    encode=st.sampled_from([str, quote, json.dumps, html.escape, lambda text: text[:7] + "\x1b[m" + text[7:]]),
)
def test_client_errors_do_not_show_the_token(token, place, status, before, encode):
    transport = FunctionTransport(lambda call: echoing(place, before + encode(token), status))
    session = new_session(transport, {"api_token": token, "api_retries": 1})
    with pytest.raises(RequestError) as caught:
        session.client.list_all("list_pipeline_jobs", project="7", pipeline_id=6)
    exc = caught.value
    parts = [str(exc), exc.problem, exc.url, *map(str, exc.args), getattr(exc, "request_id", "")]
    parts.append(getattr(exc, "server_text", ""))
    for text in parts:
        assert token not in text and token[:12] not in text
        assert len(text.splitlines()) <= 1


# ----- through a task, in its results and messages -----


class Note:
    """An extension that knows the token and leaks it."""

    @hookimpl
    def gitlab_annotate_record(self, kind, record):
        return {"who": f"{TOKEN} of {kind}"}


def output_of_task(task, options, states, extra):
    """Return everything that a task reports about a job with the token in all its fields."""
    left = list(states)

    def answer(call):
        if call.path.endswith("/trace"):
            return f"one {extra}\n\x1b[31m{TOKEN[:5]}\x1b[0m{TOKEN[5:]}\nlast {extra}{TOKEN}"
        if call.path.endswith("/jobs") or "/jobs/" in call.path:
            status = left.pop(0) if len(left) > 1 else left[0]
            record = job(
                status=status,
                name=f"{extra}{TOKEN}",
                failure_reason=TOKEN,
                pipeline=pipeline(ref=TOKEN),
                tag_list=[TOKEN],
                runner={"description": TOKEN},
            )
            return [record] if call.path.endswith("/jobs") else record
        if call.path.endswith(("bridges", "trigger_jobs")):
            return []
        return pipeline(ref=TOKEN)

    clock, progress = FakeClock(), Progress()
    try:
        outcome = run_task(
            task,
            options,
            transport=FunctionTransport(answer),
            clock=clock,
            progress=progress,
            extensions={"note": Note()},
        )
    except GitLabError as exc:
        return [str(exc), *map(str, exc.args), *progress.lines]
    everything = [outcome.failure or "", *outcome.warnings, *progress.lines]
    return [*everything, json.dumps(outcome.values), json.dumps(outcome.diff)]


statuses = st.lists(
    st.sampled_from(["manual", "pending", "running", "success", "failed", "canceled", TOKEN, "new"]),
    min_size=1,
    max_size=6,
)


@examples(120)
@given(
    statuses,
    st.sampled_from(
        [
            (gitlab_job_info.TASK, {"log_lines": 5, "fail_on": ["failed"]}),
            (gitlab_job_info.TASK, {"log_lines": 5, "wait": True, "wait_timeout": 30.0}),
            (gitlab_job_info.TASK, {"wait": True, "wait_timeout": 60.0, "pending_timeout": 1.0, "name": ["*"]}),
            (gitlab_job_info.TASK, {"name": ["nothing like it"]}),
            (gitlab_job_action.TASK, {"action": "play", "name": ["*"], "wait": True, "wait_timeout": 60.0}),
            (gitlab_job_action.TASK, {"action": "retry", "name": ["*"], "retry_on": ["api_failure"]}),
            (gitlab_job_action.TASK, {"action": "erase", "name": ["*"]}),
            (gitlab_job_action.TASK, {"action": "cancel", "name": ["*" + TOKEN], "wait": True, "wait_timeout": 20.0}),
            (gitlab_pipeline.TASK, {"action": "cancel", "wait": True, "wait_timeout": 20.0}),
            (gitlab_pipeline.TASK, {"action": "retry", "wait": True, "wait_timeout": 20.0}),
            (gitlab_pipeline_info.TASK, {"wait": True, "wait_timeout": 20.0}),
            (gitlab_pipeline_info.TASK, {"include": ["jobs", "downstream"], "fail_on": ["failed"]}),
        ]
    ),
    st.sampled_from(["", "x\x1b[1m", "a\nb"]),
)
def test_tasks_do_not_show_the_token(states, how, extra):
    task, options = how
    for text in output_of_task(task, {"pipeline_id": 6, **options}, states, extra):
        assert TOKEN not in text
        assert "\x1b" not in text


# ----- in any form, cut anywhere, with control codes anywhere -----

FORMS = {
    **ENCODINGS,
    "base64 with a user": lambda text: base64.b64encode(f"oauth2:{text}".encode()).decode(),
    "base64 after one byte": lambda text: base64.b64encode(f":{text}:".encode()).decode(),
    "base64 of URLs after two bytes": lambda text: base64.urlsafe_b64encode(f"x:{text}\n".encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal capitals": lambda text: text.encode().hex().upper(),
    "numbers of Unicode": lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
    "URL twice": lambda text: quote(quote(text, safe=""), safe=""),
    "URL of everything": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "URL of everything twice": lambda text: "".join(f"%25{byte:02x}" for byte in text.encode()),
    "HTML twice": lambda text: html.escape(html.escape(text)),
    "HTML with decimal numbers": lambda text: text.replace("&", "&#38;").replace("'", "&#39;").replace('"', "&#34;"),
    "HTML of everything": lambda text: "".join(f"&#x{ord(char):X};" for char in text),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[1:-1],
    "JSON of Rails": lambda text: (
        json.dumps(text).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    ),
    "quoted": lambda text: f"'{text}'",
}
TOKENS = st.one_of(st.just(TOKEN), st.text(alphabet="abcXYZ0189-._~+/=%&?\"'<>", min_size=12, max_size=24))
CODES = st.sampled_from(
    ["\x1b[0m", "\x1b[38;5;1m", "\x00", "\r", "\x7f", "\x85", "\x9b1m", "\x1b]0;x\x07", "\u202e", "\u2066", "\u200b"]
    + ["\u00ad", "\u200d", "\ufe0f", "\U000e0001"]
)
PLAIN = ("unchanged", "hexadecimal", "URL", "quoted")


def readings(text: str) -> str:
    """Return all readings of a string: unchanged, without control codes, and decoded."""
    bare = re.sub(
        "\x1b\\[[0-9;]*m|\x9b1m|\x1b]0;x\x07|[\x00-\x1f\x7f-\x9f\u00ad\u200b\u200d\u202e\u2066\ufe0f\U000e0001]",
        "",
        text,
    )
    return "\n".join((text, bare, html.unescape(bare), unquote(bare), unquote(unquote(bare))))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@examples(40)
@given(token=TOKENS, before=around, after=around)
def test_no_encoding_of_a_token_is_shown(form, token, before, after):
    encoded = form(token)
    for text in (Masker([token]).mask(before + encoded + after), Masker([token]).line(before + encoded + after)):
        # within longer base64, the characters at both edges also encode the surrounding text
        assert not remains(
            encoded[12:-6] if encoded.startswith(("b2F1", "Ojp", "eDo")) else encoded, text, before, after
        )
        assert token not in readings(text) or token in before + MASK + after


@pytest.mark.parametrize("form", [FORMS[name] for name in PLAIN], ids=PLAIN)
@examples(60)
@given(st.data(), TOKENS)
def test_codes_inside_a_secret_do_not_prevent_masking(form, data, token):
    encoded = form(token)
    split_secret = "".join(char + data.draw(st.one_of(st.just(""), CODES)) for char in encoded)
    masker = Masker([token])
    for shown in (
        masker.mask(f"a {split_secret} b"),
        masker.line(f"a {split_secret} b"),
        masker.block(f"a\n{split_secret}\nb"),
    ):
        assert token not in readings(shown)
        assert MASK in shown
    assert token not in readings(json.dumps(masker.mask_value({"ref": [split_secret]}), ensure_ascii=False))
    assert token not in json.dumps(masker.shown_value({split_secret: split_secret}), ensure_ascii=False)


@examples(60)
@given(st.integers(min_value=1, max_value=len(TOKEN) - SHORTEST_SECRET), st.text(alphabet=" ab", max_size=8))
def test_rest_of_a_cut_secret_is_masked(cut, after):
    assert Masker([TOKEN]).mask_beginning(TOKEN[cut:] + after) == MASK + after


def test_values_that_are_not_secrets_stay_readable():
    text = "100 % of a&b; C:\\new \x1b[1mbold\x1b[0m &amp; %41 caf\u00e9 b2F1dGgyOg== 6465\n"
    masker = Masker([TOKEN, "p#ss w\u00f6rd"])
    assert masker.mask(text) == text
    value = {"a": [text, {"b": 1.5}], "c": None}
    assert masker.mask_value(value) is value


@examples(80)
@given(
    st.integers(min_value=-len(TOKEN) - 3, max_value=3),
    st.integers(min_value=1, max_value=len(TOKEN) - 1),
    st.one_of(st.just(""), CODES),
    st.lists(st.integers(min_value=1, max_value=50_000), max_size=6),
)
def test_secret_in_a_followed_log_is_masked_wherever_it_is_cut(place, at, code, pieces):
    split_secret = TOKEN[:at] + code + TOKEN[at:]
    log = (
        "x" * (logs.LONGEST_LINE + place) + split_secret + "y" * 70_000 + f"\n{split_secret}\n{split_secret}"
    ).encode()
    lines: list[str] = []
    growing = logs._GrowingText(lines.append, Masker([TOKEN]))
    while log:
        size = pieces.pop() if pieces else 64 * 1024
        growing.write(log[:size])
        log = log[size:]
    growing.flush()
    everything = "".join(lines)
    assert TOKEN not in everything and TOKEN not in readings(everything)
    assert everything.count(MASK) >= 1 or code == "\r"


@examples(60)
@given(st.integers(min_value=0, max_value=len(TOKEN) + 2), st.one_of(st.just(""), CODES))
def test_secret_at_the_beginning_of_a_log_tail_is_masked(cut, code):
    log = (f"{TOKEN[:9]}{code}{TOKEN[9:]}" * 3 + "\n").encode()
    window = 64 * 1024
    content = b"z" * 200_000 + log
    content = content[: len(content) - window + cut] if cut > window else content + b"e" * (window - len(log) + cut)

    def answer(call):
        return content if call.path.endswith("/trace") else [job(42, "failed")]

    outcome = run_task(gitlab_job_info.TASK, {"pipeline_id": 6, "log_lines": 3}, transport=FunctionTransport(answer))
    shown = "\n".join(outcome.values["job"]["log_tail"])
    assert TOKEN[5:] not in readings(shown)

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client: records or typed errors, moved projects, and no secrets in messages."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import WholeBody
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.files.fetch import Memory
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions.hookspecs import hookimpl

from ...harness import (
    API,
    SERVER,
    TOKEN,
    Exchange,
    FakeClock,
    FunctionTransport,
    ScriptedTransport,
    job,
    new_session,
    reply,
)


def row(job_id: int) -> dict[str, object]:
    """Return the minimal record of a job."""
    return {"id": job_id, "name": "deploy", "status": "manual"}


JOB = {"project": "group/app", "job_id": 42}
GET_JOB = "GET /projects/group%2Fapp/jobs/42"
PLAY = "POST /projects/group%2Fapp/jobs/42/play"


def client_of(*exchanges, **options):
    return new_session(ScriptedTransport(*exchanges), {"api_retries": 0, **options}).client


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.RefusedError),
        (401, errors.NotAuthorizedError),
        (403, errors.NotAuthorizedError),
        (404, errors.MissingError),
        (405, errors.RefusedError),
        (408, errors.ServerError),
        (409, errors.RefusedError),
        (422, errors.RefusedError),
        (429, errors.ThrottledError),
        (500, errors.ServerError),
        (502, errors.ServerError),
        (503, errors.ServerError),
        (504, errors.ServerError),
        (599, errors.ServerError),
    ],
)
def test_error_statuses_become_typed_errors(status, error):
    answer = reply({"message": f"{status} Reason"}, status=status, headers={"X-Request-Id": "01ABC"})
    with pytest.raises(error) as caught:
        client_of(Exchange(GET_JOB, answer)).call("get_job", **JOB)
    assert caught.type is error
    assert caught.value.status == status
    assert caught.value.server_text == f"{status} Reason"
    text = str(caught.value)
    # the problem and its subject first, then the advice, and the request at the end
    assert text.startswith(f'GitLab says "{status} Reason" for job 42 of project group/app')
    assert text.endswith(f" (GET {API}/projects/group%2Fapp/jobs/42, status {status}, request id 01ABC)")


@pytest.mark.parametrize("page", ["<html>Bad Gateway</html>", "<!DOCTYPE html>"])
def test_web_page_with_an_error_status_is_reported(page):
    with pytest.raises(
        errors.ServerError, match="answers with an HTML page instead of JSON for job 42 of .*, status 502"
    ):
        client_of(Exchange(GET_JOB, reply(page, status=502))).call("get_job", **JOB)


@pytest.mark.parametrize("status", [401, 403])
def test_web_page_that_denies_access_is_not_from_gitlab(status):
    page = reply("<html><title>No entry</title>", status=status)
    with pytest.raises(errors.NotAuthorizedError, match="'No entry' instead of JSON .*something in front") as caught:
        client_of(Exchange(GET_JOB, page)).call("get_job", **JOB)
    assert caught.value.has_reason


def test_error_status_without_a_body_is_reported():
    with pytest.raises(errors.ServerError, match="the server answers with status 500 for job 42 of project group/app"):
        client_of(Exchange(GET_JOB, reply(b"", status=500))).call("get_job", **JOB)


@pytest.mark.parametrize(
    ("name", "arguments", "subject"),
    [
        ("list_pipelines", {"project": 7, "ref": "v1"}, "ref v1 of project 7"),
        (
            "list_pipelines",
            {"project": "a/b", "ref": "v1", "sha": "f" * 40},
            f"commit {'f' * 40} of ref v1 of project a/b",
        ),
        ("list_merge_request_pipelines", {"project": 7, "merge_request": 3}, "merge request 3 of project 7"),
        ("list_pipeline_jobs", {"project": 7, "pipeline_id": 6}, "pipeline 6 of project 7"),
        ("list_deployments", {"project": 7, "environment": "prod"}, "environment 'prod' of project 7"),
        (
            "download_artifact_file",
            {"project": 7, "job_id": 9, "artifact_path": "a/b"},
            "file 'a/b' of job 9 of project 7",
        ),
        ("create_pipeline", {"project": 7, "ref": "main"}, "ref main of project 7"),
    ],
)
def test_error_names_the_subject_of_the_request(name, arguments, subject):
    client = new_session(FunctionTransport(lambda call: reply({"message": "400 No"}, status=400))).client
    with pytest.raises(errors.RefusedError) as caught:
        client.call(name, **arguments)
    assert str(caught.value).startswith(f'GitLab says "400 No" for {subject} (')


@pytest.mark.parametrize(
    ("answer", "is_missing", "is_object"),
    [
        (reply({"error": "404 Not Found"}, status=404), True, False),
        # from a proxy while GitLab restarts; it proves nothing about GitLab
        (reply("<html>nginx</html>", status=404), False, False),
        (reply({"message": "404 Not found"}, status=404), False, True),
        (reply({"message": "404 Project Not Found"}, status=404), False, False),
        (reply("404 page not found", status=404), False, False),
        (reply(b"", status=404), False, False),
    ],
)
def test_missing_endpoint_is_distinguished_from_missing_object(answer, is_missing, is_object):
    with pytest.raises(errors.NotFoundError) as caught:
        client_of(Exchange(GET_JOB, answer)).call("get_job", **JOB)
    assert caught.value.is_missing_endpoint is is_missing
    assert isinstance(caught.value, errors.MissingError) is is_object


@pytest.mark.parametrize(
    ("line", "name", "answer", "problem"),
    [
        (PLAY, "play_job", reply(job(), status=201), "the answer has status 201 instead of 200"),
        (GET_JOB, "get_job", reply(b"", status=204), "the answer has status 204 instead of 200"),
        (GET_JOB, "get_job", reply(b"", status=304), "the answer has status 304"),
        (GET_JOB, "get_job", reply("<html>Sign in</html>"), "HTML page, not JSON"),
        (GET_JOB, "get_job", reply(b'{"id": 4'), "not JSON"),
        (GET_JOB, "get_job", {"id": 42, "status": "manual"}, "no valid 'name'"),
        (GET_JOB, "get_job", {**row(42), "id": "42"}, "no valid 'id'"),
        (GET_JOB, "get_job", {**row(42), "status": ["manual"]}, "no valid 'status'"),
        (GET_JOB, "get_job", reply([]), "contains a list instead of an object"),
    ],
)
def test_invalid_answer_is_explained(line, name, answer, problem):
    with pytest.raises(errors.BadAnswerError, match=problem) as caught:
        client_of(Exchange(line, answer)).call(name, **JOB)
    assert caught.value.method == line.split()[0]
    assert caught.value.url == API + line.split()[1]


@pytest.mark.parametrize(
    ("line", "name", "answer", "expected"),
    [
        (GET_JOB, "get_job", {**row(42), "new": [1]}, {**row(42), "new": [1]}),
        (GET_JOB + "/trace", "get_job_log", "plain \x1b[0m log", "plain \x1b[0m log"),
        (GET_JOB + "/artifacts", "download_artifacts", b"PK\x03", b"PK\x03"),
        ("DELETE /projects/group%2Fapp/jobs/42/artifacts", "delete_artifacts", reply(b"", status=204), None),
        ("POST /projects/group%2Fapp/jobs/42/retry", "retry_job", reply(row(43), status=201), row(43)),
        (PLAY, "play_job", row(42), row(42)),
    ],
)
def test_answers_are_decoded(line, name, answer, expected):
    assert client_of(Exchange(line, answer)).call(name, **JOB) == expected


def test_reads_are_repeated_and_writes_are_not():
    transport = ScriptedTransport(Exchange(GET_JOB, reply("<html>", status=502)), Exchange(GET_JOB, row(42)))
    assert new_session(transport).client.call("get_job", **JOB) == row(42)
    transport.assert_done()
    with pytest.raises(errors.ServerError):
        new_session(ScriptedTransport(Exchange(PLAY, reply("<html>", status=502)))).client.call("play_job", **JOB)


def test_throttled_write_is_repeated_after_retry_after():
    clock = FakeClock()
    throttled = reply("Retry later", status=429, headers={"Retry-After": "7"})
    transport = ScriptedTransport(Exchange(PLAY, throttled), Exchange(PLAY, row(42)))
    new_session(transport, clock=clock).client.call("play_job", **JOB)
    assert 7.0 <= clock.seconds <= 8.0


def test_only_the_failed_page_of_a_list_is_repeated():
    line = "GET /projects/7/pipelines/6/jobs"
    transport = ScriptedTransport(
        Exchange(line, reply([row(2)], headers={"X-Next-Page": "2"})),
        Exchange(line + "?page=2", errors.LostAnswerError("cut")),
        Exchange(line + "?page=2", reply([row(1)], headers={"X-Next-Page": ""})),
    )
    client = new_session(transport).client
    assert client.list_all("list_pipeline_jobs", project=7, pipeline_id=6) == [row(2), row(1)]
    transport.assert_done()


def test_filters_are_sent_with_every_page():
    line = "GET /projects/7/jobs?pagination=keyset&order_by=id&sort=desc&scope[]=failed"
    link = f'<{SERVER}/api/v4/projects/7/jobs?cursor=abc&scope[]=manual>; rel="next"'
    transport = ScriptedTransport(
        Exchange(line, reply([row(2)], headers={"Link": link})),
        Exchange(line + "&cursor=abc", [row(1)]),
    )
    listed = new_session(transport).client.list_all("list_project_jobs", project=7, scope=["failed"])
    assert [record["id"] for record in listed] == [2, 1]


MOVED = Exchange(GET_JOB, reply("moved", status=301, headers={"Location": API + "/projects/7/jobs/42"}))


def test_moved_project_is_requested_by_id_afterwards():
    transport = ScriptedTransport(
        MOVED,
        Exchange("GET /projects/7/jobs/42", job()),
        Exchange("POST /projects/7/jobs/42/play", job(status="pending")),
        Exchange("GET /projects/other%2Fapp/jobs/42", job()),
    )
    client = new_session(transport).client
    client.call("get_job", **JOB)
    client.call("play_job", **JOB)
    client.call("get_job", project="other/app", job_id=42)
    transport.assert_done()


@pytest.mark.parametrize("place", ["https://cdn.example.com", "https://cdn.example.com/api/v4/projects/9"])
def test_redirect_to_another_host_does_not_move_the_project(place):
    target = f"{place}/file?X-Signature=abc"
    redirect = reply(b"", status=302, headers={"Location": target})
    transport = ScriptedTransport(
        Exchange(GET_JOB + "/artifacts", redirect),
        Exchange(f"GET {target}", b"PK"),
        Exchange(GET_JOB, job()),
    )
    client = new_session(transport).client
    assert client.call("download_artifacts", **JOB) == b"PK"
    client.call("get_job", **JOB)
    transport.assert_done()


@pytest.mark.parametrize("place", ["https://cdn.example.com", SERVER.replace("https", "http"), SERVER + ":8443"])
@pytest.mark.parametrize(("name", "arguments"), [("get_job", JOB), ("list_project_jobs", {"project": "group/app"})])
def test_api_redirects_to_other_origins_are_refused(place, name, arguments):
    redirect = reply(b"", status=302, headers={"Location": f"{place}/api/v4/x"})
    transport = FunctionTransport(lambda call: redirect)
    client = new_session(transport).client
    call = client.call if name == "get_job" else lambda *given, **more: list(client.list_all(*given, **more))
    with pytest.raises(errors.BadAnswerError, match="a redirect (to https:|from https to http)"):
        call(name, **arguments)
    assert len(transport.calls) == 1


def storage_exchanges(*answers):
    """Return exchanges that redirect a download to object storage, each time to another address."""
    for number, answer in enumerate(answers):
        target = f"https://cdn.example.com/file?X-Signature=s1gned-{number}"
        yield Exchange(GET_JOB + "/artifacts", reply(b"", status=302, headers={"Location": target}))
        yield Exchange(f"GET {target}", answer)


STORAGE_ERROR = "<?xml version='1.0'?><Error><Code>AccessDenied</Code><AWSAccessKeyId>AKIA0123</AWSAccessKeyId></Error>"


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_refused_storage_url_is_requested_again(status):
    refused, sink = reply(STORAGE_ERROR, status=status), Memory()
    new_session(ScriptedTransport(*storage_exchanges(refused, b"PK"))).client.download(
        "download_artifacts", sink, **JOB
    )
    assert sink.content == b"PK"
    for read in ("call", "download"):
        transport = ScriptedTransport(*storage_exchanges(refused, refused))
        client = new_session(transport, {"api_retries": 1}).client
        with pytest.raises(errors.LostAnswerError) as caught:
            getattr(client, read)("download_artifacts", **JOB, **({"sink": Memory()} if read == "download" else {}))
        assert str(caught.value) == (
            f"cdn.example.com, to which GitLab redirects the download, answers with status {status} "
            "(after 2 attempts). Try again, or ask the administrator of GitLab about its object storage "
            f"(GET {API}/projects/group%2Fapp/jobs/42/artifacts)"
        )


def test_gitlab_under_another_host_name_is_not_object_storage():
    away = reply(b"", status=301, headers={"Location": "https://www.example.com/api/v4/projects/7/jobs/42/artifacts"})
    transport = ScriptedTransport(
        Exchange(GET_JOB + "/artifacts", away),
        Exchange("GET https://www.example.com/api/v4/projects/7/jobs/42/artifacts", {"message": "401 No"}, status=401),
    )
    with pytest.raises(errors.NotAuthorizedError, match='GitLab says "401 No"'):
        new_session(transport).client.call("download_artifacts", **JOB)


@pytest.mark.parametrize("page", [STORAGE_ERROR, "<html><title>404 Not Found</title></html>"])
def test_file_missing_from_storage_is_not_a_missing_endpoint(page):
    with pytest.raises(errors.MissingError, match="cdn.example.com, .* answers with status 404") as caught:
        client_of(*storage_exchanges(reply(page, status=404))).call("download_artifacts", **JOB)
    assert "s1gned" not in str(caught.value) and "AKIA" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        reply({"message": f"bad token {TOKEN}"}, status=401),
        reply(f"echo {TOKEN}", status=500),
        reply({"message": {"error": TOKEN}}, status=400, headers={"X-Request-Id": TOKEN}),
        errors.LostAnswerError(f"cut at {TOKEN}"),
        errors.ConnectError(f"no {TOKEN}"),
    ],
)
def test_errors_do_not_contain_the_token(answer):
    with pytest.raises(errors.RequestError) as caught:
        client_of(Exchange(GET_JOB, answer)).call("get_job", **JOB)
    error = caught.value
    shown = [str(error), repr(error), error.problem, error.url, str(error.args), getattr(error, "server_text", "")]
    assert not [text for text in shown if TOKEN in text]
    assert error.__cause__ is None


@pytest.mark.parametrize("status", [200, 502])
@pytest.mark.parametrize("token", [TOKEN, "".join(f"&#{ord(char)};" for char in TOKEN)], ids=["plain", "entities"])
def test_cut_title_contains_no_part_of_the_token(status, token):
    for offset in range(70):
        page = reply(f"<html><title>{'x' * offset} {token}</title>", status=status)
        with pytest.raises(errors.RequestError) as caught:
            client_of(Exchange(GET_JOB, page)).call("get_job", **JOB)
        assert "HTML page" in str(caught.value) and TOKEN[:4] not in str(caught.value)


def test_repr_of_settings_hides_the_token():
    settings = client_of().settings
    assert TOKEN in settings.secrets
    assert TOKEN not in repr(settings)


class LimitRecorder(FunctionTransport):
    """Keeps the limits of requests and streams."""

    def __init__(self, function):
        super().__init__(function)
        self.limits = []

    def send(self, request, *, timeout_seconds):
        self.limits.append((timeout_seconds, request.total_seconds, request.max_bytes))
        return super().send(request, timeout_seconds=timeout_seconds)


class StreamLimitRecorder(LimitRecorder):
    def stream(self, request, *, timeout_seconds):
        return WholeBody(self.send(request, timeout_seconds=timeout_seconds))


class SmallPieces(FunctionTransport):
    def stream(self, request, *, timeout_seconds):
        class Stream(WholeBody):
            def read(self, size):
                return super().read(min(size, 3))

        return Stream(self.send(request, timeout_seconds=timeout_seconds))


def test_download_error_in_small_pieces_is_read_completely():
    client = new_session(SmallPieces(lambda call: reply({"message": "403 Expired"}, status=403))).client
    with pytest.raises(errors.NotAuthorizedError, match='GitLab says "403 Expired"'):
        client.download("download_artifacts", Memory(), **JOB)


@pytest.mark.parametrize(
    ("at", "timeout", "total"),
    [
        (0.0, 2.0, 20.0),
        (80.5, 2.0, 19.5),
        (99.7, 1.0, 1.0),
        (100.0, 1.0, 1.0),
        (100.02, 0.98, 0.98),
        (100.8, 0.5, 0.5),
        (105.0, 0.5, 0.5),
    ],
)
def test_request_timeouts_end_at_most_a_second_after_the_deadline(at, timeout, total):
    transport, clock = LimitRecorder(lambda call: row(42)), FakeClock()
    session = new_session(transport, {"wait_timeout": 100.0, "api_timeout": 2.0}, clock=clock)
    clock.now += at
    session.client.call("get_job", **JOB)
    [(timeout_seconds, total_seconds, _most)] = transport.limits
    assert (timeout_seconds, total_seconds) == (pytest.approx(timeout), pytest.approx(total))


@pytest.mark.parametrize(
    ("name", "answer", "mebibytes"),
    [
        ("get_job", row(42), 8),
        ("play_job", row(42), 8),
        ("get_job_log", "log", 128),
        ("download_artifacts", b"PK", 128),
        ("delete_artifacts", reply(b"", status=204), 8),
    ],
)
def test_every_kind_of_answer_has_a_size_limit(name, answer, mebibytes):
    transport = LimitRecorder(lambda call: answer)
    new_session(transport).client.call(name, **JOB)
    assert [max_bytes for _timeout, _total, max_bytes in transport.limits] == [mebibytes * 1024 * 1024]


def test_every_page_of_a_list_has_a_size_limit():
    transport = LimitRecorder(lambda call: [row(42)])
    new_session(transport).client.list_all("list_pipeline_jobs", project=7, pipeline_id=6)
    assert [max_bytes for _timeout, _total, max_bytes in transport.limits] == [32 * 1024 * 1024]


@pytest.mark.parametrize(("any_time", "total"), [(True, None), (False, 100.0)])
@pytest.mark.parametrize("wait", [True, False])
def test_streamed_download_is_limited_only_by_the_task_timeout(any_time, total, wait):
    transport = StreamLimitRecorder(lambda call: b"content")
    session = new_session(transport, {"wait": wait, "wait_timeout": 100.0}).best_effort()
    session.client.download("download_artifacts", Memory(), any_time=any_time, **JOB)
    assert transport.limits == [(30.0, total, None)]


def test_download_without_streaming_has_a_size_limit():
    transport = LimitRecorder(lambda call: b"content")
    new_session(transport).client.download("download_artifacts", Memory(), **JOB)
    assert transport.limits == [(30.0, 300.0, 128 * 1024 * 1024)]


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "7"}])
def test_download_of_unknown_length_ends_with_the_task_timeout(headers):
    clock = FakeClock()

    class Slow(Memory):
        def write(self, chunk):
            clock.sleep(101.0)
            super().write(chunk)

    transport = StreamLimitRecorder(lambda call: reply(b"content", headers=headers))
    session, sink = new_session(transport, {"wait_timeout": 100.0}, clock=clock), Slow()
    if headers:
        session.client.download("download_artifacts", sink, any_time=True, **JOB)
        assert sink.content == b"content"
    else:
        with pytest.raises(errors.LostAnswerError, match="has no Content-Length, and did not end"):
            session.client.download("download_artifacts", sink, any_time=True, **JOB)


def test_log_of_unknown_length_is_read_after_the_task_timeout():
    clock, sink = FakeClock(), Memory()
    session = new_session(StreamLimitRecorder(lambda call: b"log"), {"wait_timeout": 100.0}, clock=clock)
    clock.sleep(101.0)
    session.best_effort().client.download("get_job_log", sink, **JOB)
    assert sink.content == b"log"


def test_proxy_that_requires_a_client_certificate_is_explained():
    page = "<html><head><title>400 No required SSL certificate was sent</title></head></html>"
    with pytest.raises(errors.RefusedError, match="client_cert and client_key"):
        client_of(Exchange(GET_JOB, reply(page, status=400))).call("get_job", **JOB)


def test_extensions_are_notified_of_every_request():
    notified = []

    class Audit:
        @hookimpl
        def gitlab_request_finished(self, request, status, seconds):
            notified.append((request.method, request.display_url, status, dict(request.headers)))

    transport = ScriptedTransport(
        MOVED,
        Exchange("GET /projects/7/jobs/42", errors.LostAnswerError("cut")),
        MOVED,
        Exchange("GET /projects/7/jobs/42", job()),
    )
    new_session(transport, extensions={"audit": Audit()}).client.call("get_job", **JOB)
    assert [(method, status) for method, _url, status, _headers in notified] == [
        ("GET", 301),
        ("GET", None),
        ("GET", 301),
        ("GET", 200),
    ]
    assert TOKEN not in str(notified)


def test_ten_thousand_jobs_are_read_in_a_hundred_requests():
    def page(call):
        number = int(call.query.get("page", ["1"])[0])
        first = 10_000 - (number - 1) * 100
        return reply(
            [row(first - index) for index in range(100)],
            headers={"X-Next-Page": str(number + 1) if number < 100 else ""},
        )

    transport = FunctionTransport(page)
    listed = new_session(transport).client.list_all("list_pipeline_jobs", project=7, pipeline_id=6)
    assert [record["id"] for record in listed] == list(range(10_000, 0, -1))
    assert len(transport.calls) == 100


@pytest.mark.parametrize("retries", [0, 1])
def test_invalid_page_among_many_is_requested_again(retries):
    clock = FakeClock()
    broken = iter([b'[{"id": 7'])

    def page(call):
        clock.sleep(0.05)  # long enough for several requests at a time
        number = int(call.query.get("page", ["1"])[0])
        if number == 3:
            for body in broken:
                return reply(body)
        rows = [row(1000 - 100 * number - index) for index in range(100)]
        return reply(rows, headers={"X-Next-Page": str(number + 1) if number < 5 else ""})

    transport = FunctionTransport(page)
    client = new_session(transport, {"api_retries": retries, "api_concurrency": 4}, clock=clock).client
    listed = client.list_all("list_pipeline_jobs", project=7, pipeline_id=6)
    assert [record["id"] for record in listed] == list(range(900, 400, -1))
    # without retries the list is read again page by page; pages beyond the end may be requested ahead
    asked = [call.query.get("page", ["1"])[0] for call in transport.calls]
    assert [asked.count(number) for number in "12345"] == ([1, 1, 2, 1, 1] if retries else [2, 2, 2, 2, 2])


@pytest.mark.parametrize(
    ("total", "records", "expected"),
    [
        ("3", [row(3)], 3),
        ("0", [], 0),
        ("999999999", [row(3)], 999_999_999),
        # longer than a number may be
        ("1234567890123456", [row(3)], None),
        ("", [row(3)], None),
        ("many", [row(3)], None),
        ("-1", [row(3)], None),
        # contradicts the page
        ("0", [row(3)], None),
        ("3", [], None),
    ],
)
def test_count_uses_the_total_of_a_one_record_request(total, records, expected):
    line = "GET /projects/7/pipelines/6/jobs?scope[]=running&per_page=1"
    client = client_of(Exchange(line, reply(records, headers={"X-Total": total})))
    assert client.count("list_pipeline_jobs", project="7", pipeline_id=6, scope=["running"]) == expected


def test_count_is_unknown_without_a_total_and_retried_on_faults():
    line = "GET /projects/7/pipelines/6/jobs?per_page=1"
    client = client_of(Exchange(line, errors.LostAnswerError("cut")), Exchange(line, [row(3)]), api_retries=1)
    assert client.count("list_pipeline_jobs", project="7", pipeline_id=6) is None


def test_extensions_do_not_see_signatures_of_storage_urls():
    notified = []

    class Audit:
        @hookimpl
        def gitlab_request_finished(self, request, status):
            notified.append((request.url, status))

    away = reply("", status=302, headers={"Location": "https://storage.example.com/a?signature=s3cret"})
    transport = ScriptedTransport(
        Exchange("GET /projects/7/jobs/42/artifacts", away),
        Exchange("GET https://storage.example.com/a?signature=s3cret", b"content"),
    )
    sink = Memory()
    session = new_session(transport, extensions={"audit": Audit()})
    session.client.download("download_artifacts", sink, project="7", job_id=42)
    assert sink.content == b"content"
    assert notified == [(API + "/projects/7/jobs/42/artifacts", 302), ("https://storage.example.com/a", 200)]


def test_extension_failure_after_a_request_is_only_a_warning():
    class Broken:
        @hookimpl
        def gitlab_request_finished(self, status):
            raise ValueError(f"cannot note {status} with {TOKEN}")

        @hookimpl
        def gitlab_annotate_record(self, kind, record):
            raise ValueError(f"cannot annotate a {kind}")

    session = new_session(ScriptedTransport(Exchange("GET /projects/7/jobs/42", job())), extensions={"bad": Broken()})
    record = session.client.call("get_job", project="7", job_id=42)
    assert session.annotated("job", record) == job()
    assert [warning.partition("cannot ")[2].split()[0] for warning in session.warnings] == ["note", "annotate"]
    assert TOKEN not in str(session.warnings)


def test_annotations_of_the_first_extension_take_precedence():
    class First:
        @hookimpl(tryfirst=True)
        def gitlab_annotate_record(self, kind, record):
            return {"owner": "first", "kind": kind}

    class Second:
        @hookimpl
        def gitlab_annotate_record(self, record):
            return {"owner": "second", "seen": record["id"]}

    session = new_session(ScriptedTransport(), extensions={"a": First(), "b": Second()})
    annotated = session.annotated("job", job())
    assert annotated == {**job(), "annotations": {"owner": "first", "kind": "job", "seen": 42}}
    assert "annotations" not in job()


@pytest.mark.parametrize("seconds", [0.0, 60.0])
@pytest.mark.parametrize("at_once", [1, 4])
def test_endless_list_ends_with_the_task_timeout(at_once, seconds):
    """Each page arrives in time, and there is always one more."""
    clock = FakeClock()

    def page(call):
        clock.now += 0.4
        number = int(call.query.get("page", ["1"])[0])
        rows = [row(100 * number + place) for place in range(100)]
        return reply(rows, headers={"X-Page": str(number), "X-Next-Page": str(number + 1)})

    transport = FunctionTransport(page)
    client = new_session(transport, {"wait_timeout": seconds, "api_concurrency": at_once}, clock=clock).client
    with pytest.raises(
        errors.UnsentError, match=r"was not read to its end, because .* Raise wait_timeout \(GET .*/jobs\)"
    ):
        client.list_all("list_pipeline_jobs", project=7, pipeline_id=6)
    # a list begun near the deadline gets extra time; active requests then finish, and page 1 is read again
    assert max(seconds, 10.0) <= clock.seconds <= max(seconds, 10.0) + 3.0

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test pagination: headers, headers missing in some versions, parameter values, links and keyset mode."""

from __future__ import annotations

import typing as t
import urllib.parse

import pytest
import requests

from tests.simulator.fixture import Simulator

from .support import VERSIONS, Client, names, scenario

TOTALS = {"X-Total", "X-Total-Pages"}


def load(simulator: Simulator, count: int, version: str = "18.10", **more: t.Any) -> Client:
    mass = {"generate": {"count": count, "status": "success"}}
    simulator.load(scenario(mass, **more), version=version)
    return Client(simulator)


def link_urls(response: requests.Response) -> dict[str, str]:
    return {rel: link["url"] for rel, link in response.links.items()}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", ["jobs", "pipelines/100/jobs"])
def test_total_headers_depend_on_list_and_version(simulator: Simulator, version: str, path: str) -> None:
    response = load(simulator, 45, version).get(path, params={"page": 2})
    has_totals = path != "jobs" or version in ("11.11", "13.12", "15.9")
    assert (response.headers.keys() >= TOTALS) == has_totals
    links = ["prev", "next", "first"] + ["last"] * has_totals
    assert list(link_urls(response)) == links
    head = response.headers
    assert [head[f"X-{name}"] for name in ("Page", "Per-Page", "Next-Page", "Prev-Page")] == ["2", "20", "3", "1"]
    if has_totals:
        assert (head["X-Total"], head["X-Total-Pages"]) == ("45", "3")


@pytest.mark.parametrize(("version", "has_totals"), [("13.12", True), ("15.9", False), ("18.10", False)])
def test_totals_above_ten_thousand_depend_on_the_version(simulator: Simulator, version: str, has_totals: bool) -> None:
    response = load(simulator, 10_001, version).get("pipelines/100/jobs")
    assert ("X-Total" in response.headers) == has_totals
    assert ("last" in response.links) == has_totals


def test_pages_at_and_past_the_end_have_no_next_page(simulator: Simulator) -> None:
    client = load(simulator, 45)
    last = client.get("pipelines/100/jobs", params={"page": 3})
    assert (len(last.json()), last.headers["X-Next-Page"]) == (5, "")
    past = client.get("pipelines/100/jobs", params={"page": 9})
    assert (past.status_code, past.json(), past.headers["X-Next-Page"]) == (200, [], "")
    none = load(simulator, 0).get("pipelines/100/jobs")
    assert (none.json(), none.headers["X-Total"], none.headers["X-Total-Pages"]) == ([], "0", "1")


@pytest.mark.parametrize(
    ("query", "status", "size"),
    [
        ("per_page=100", 200, 100),
        ("per_page=101", 200, 100),
        ("per_page=1", 200, 1),
        ("per_page=", 200, 20),
        ("per_page=0", 400, None),
        ("per_page=-1", 400, None),
        ("page=-1", 400, None),
        ("per_page=abc", 400, None),
        ("page=abc", 400, None),
    ],
)
@pytest.mark.parametrize("path", ["jobs", "pipelines/100/jobs"])
def test_page_parameters_are_validated(
    simulator: Simulator, path: str, query: str, status: int, size: int | None
) -> None:
    response = load(simulator, 120).get(f"{path}?{query}")
    assert response.status_code == status
    if size is None:
        assert "error" in response.json()
    else:
        assert (len(response.json()), response.headers["X-Per-Page"]) == (size, str(size))


def test_links_keep_all_parameters_and_use_the_external_url(simulator: Simulator) -> None:
    client = load(simulator, 45, external_url="https://gitlab.example.com:8443")
    query = [("scope[]", "success"), ("scope[]", "failed"), ("private_token", "mia-token")]
    url = urllib.parse.urlsplit(link_urls(client.get("pipelines/100/jobs", params=query))["next"])
    assert url.netloc == "gitlab.example.com:8443"
    given = urllib.parse.parse_qsl(url.query)
    assert [name for name, _value in given] == sorted(name for name, _value in given)
    assert set(given) >= {("id", "group/app"), ("pipeline_id", "100"), ("private_token", "mia-token"), ("page", "2")}
    assert ("scope[]", "failed") in given


def test_following_the_links_returns_every_job_once(simulator: Simulator) -> None:
    client = load(simulator, 250)
    url: str | None = f"{client.base}/projects/7/jobs?per_page=100"
    seen: list[int] = []
    while url:
        response = client.session.get(url)
        seen += [row["id"] for row in response.json()]
        url = link_urls(response).get("next")
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 250


class TestKeyset:
    def test_new_jobs_do_not_shift_the_pages(self, simulator: Simulator) -> None:
        client = load(simulator, 45)
        response = client.get("jobs?pagination=keyset&per_page=20&scope=success")
        sizes = [len(response.json())]
        while "next" in response.links:
            assert not [name for name in response.headers if name.startswith("X-") and "Page" in name]
            assert "scope=success" in response.links["next"]["url"] and "cursor=" in response.links["next"]["url"]
            # Jobs created during the iteration do not shift the pages.
            simulator.act_as_somebody_else("retry", "job 45")
            simulator.advance(10)
            response = client.session.get(response.links["next"]["url"])
            sizes.append(len(response.json()))
        assert sizes == [20, 20, 5]
        assert "Link" not in response.headers

    def test_exactly_full_page_has_no_next_link(self, simulator: Simulator) -> None:
        response = load(simulator, 20).get("jobs?pagination=keyset")
        assert (len(response.json()), "Link" in response.headers) == (20, False)

    @pytest.mark.parametrize("query", ["sort=asc", "order_by=name"])
    def test_other_orders_are_refused(self, simulator: Simulator, query: str) -> None:
        response = load(simulator, 1).get(f"jobs?pagination=keyset&{query}")
        assert response.status_code == 405
        text = "Keyset pagination is not yet available for this type of request"
        assert response.json() == {"error": text}

    @pytest.mark.parametrize(("version", "path"), [("13.12", "jobs"), ("18.10", "pipelines/100/jobs")])
    def test_keyset_is_ignored_where_it_is_not_supported(self, simulator: Simulator, version: str, path: str) -> None:
        assert "X-Page" in load(simulator, 3, version).get(f"{path}?pagination=keyset").headers


def test_offset_limit_does_not_apply_to_keyset(simulator: Simulator) -> None:
    client = load(simulator, 45, limits={"jobs_list_offset": 40})
    assert client.get("jobs?page=2").status_code == 200
    response = client.get("jobs?page=3")
    assert response.status_code == 405 and "maximum allowed offset of 40" in response.json()["error"]
    assert client.get("jobs?page=3&pagination=keyset").status_code == 200


class TestOrderAndSelection:
    BELOW = {"jobs": [{"name": "below", "status": "success"}]}
    JOBS = (
        {"name": "a", "status": "failed", "retried": 1},
        {"name": "b", "status": "success"},
        {"name": "up", "status": "success", "trigger": {"pipeline": BELOW}},
    )

    def load(self, simulator: Simulator, version: str) -> Client:
        simulator.load(scenario(*self.JOBS), version=version)
        return Client(simulator)

    @pytest.mark.parametrize("version", VERSIONS)
    def test_project_list_has_all_attempts(self, simulator: Simulator, version: str) -> None:
        assert names(self.load(simulator, version).get("jobs")) == ["below", "b", "a", "a"]

    @pytest.mark.parametrize(
        ("version", "query", "expected"),
        [
            ("11.11", "", ["a", "a", "b"]),
            ("13.4", "?include_retried=false", ["a", "a", "b"]),
            ("13.5", "?include_retried=true", ["b", "a"]),
            ("13.12", "", ["b", "a"]),
            ("13.12", "?include_retried=true", ["b", "a", "a"]),
            ("18.10", "", ["b", "a"]),
        ],
    )
    def test_order_and_attempts_of_pipeline_jobs_depend_on_the_version(
        self, simulator: Simulator, version: str, query: str, expected: list[str]
    ) -> None:
        assert names(self.load(simulator, version).get(f"pipelines/100/jobs{query}")) == expected

    def test_scopes_filter_the_lists(self, simulator: Simulator) -> None:
        client = self.load(simulator, "18.10")
        assert names(client.get("jobs?scope=failed")) == ["a", "a"]
        assert names(client.get("jobs?scope[]=failed&scope[]=success")) == ["below", "b", "a", "a"]
        assert names(client.get("jobs?scope[x]=failed")) == ["a", "a"]
        assert client.get("pipelines/100/jobs?scope[x]=failed").status_code == 400
        assert names(client.get("pipelines/100/bridges?scope=success")) == ["up"]
        for path in ("jobs", "pipelines/100/jobs", "pipelines/100/bridges"):
            response = client.get(f"{path}?scope=nonsense")
            assert response.status_code == 400
            assert response.json() == {"error": "scope does not have a valid value"}

    def test_known_statuses_depend_on_the_version(self, simulator: Simulator) -> None:
        assert self.load(simulator, "18.10").get("jobs?scope=canceling").status_code == 200
        assert self.load(simulator, "15.9").get("jobs?scope=canceling").status_code == 400

    def test_jobs_of_child_pipelines_depend_on_the_version(self, simulator: Simulator) -> None:
        assert names(self.load(simulator, "18.10").get("pipelines/101/jobs")) == ["below"]
        assert self.load(simulator, "13.2").get("pipelines/101/jobs").status_code == 404

    def test_ref_filter_depends_on_the_version(self, simulator: Simulator) -> None:
        assert names(self.load(simulator, "19.2").get("jobs?ref=other")) == []
        assert len(names(self.load(simulator, "18.10").get("jobs?ref=other"))) == 4
        assert len(names(self.load(simulator, "19.2").get("jobs?ref="))) == 4

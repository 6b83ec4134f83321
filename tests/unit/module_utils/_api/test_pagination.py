# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading pages: complete and without repeats for every kind of server, and never endless."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import BadAnswerError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.paging import next_position
from hypothesis import given
from hypothesis import strategies as st

from ...harness import API, PageRequester, list_of, reply

KEYSET_START = {"per_page": 100, "pagination": "keyset", "order_by": "id", "sort": "desc"}


def link(query: str, rel: str = "next", base: str = API) -> str:
    return f'<{base}/projects/7/jobs?{query}>; rel="{rel}"'


class Pages:
    """A server that answers from a table, which maps a page number or cursor to records and headers."""

    def __init__(self, table):
        self.table = table
        self.asked = []

    def __call__(self, position):
        if len(self.asked) > 300:
            raise AssertionError("asked for ever")
        self.asked.append(dict(position))
        ids, headers = self.table[position.get("cursor") or int(position.get("page", 1))]
        return reply([{"id": number} for number in ids], headers=headers)


def walk(ask, paging="offset", page_size=100):
    return list_of(PageRequester(ask), paging).walk(page_size)


def walked(pages, paging="offset", page_size=100):
    return [record["id"] for record in walk(pages, paging, page_size)]


FULL = list(range(300, 200, -1))
MORE = list(range(200, 100, -1))
REST = [100, 99]

OFFSET_SERVERS = {
    "links": {
        1: (FULL, {"Link": link("id=7&page=2&per_page=100") + ", " + link("page=1", "first"), "X-Next-Page": "2"}),
        2: (MORE, {"Link": link("page=1", "prev") + ", " + link("page=3") + ", " + link("page=3", "last")}),
        3: (REST, {"Link": link("page=2", "prev") + ", " + link("page=1", "first"), "X-Next-Page": ""}),
    },
    "links to another host": {
        1: (FULL, {"Link": link("page=2&private_token=x&scope[]=failed", base="http://10.0.0.1:8080/other")}),
        2: (MORE, {"Link": link("page=3", base="http://10.0.0.1:8080/other")}),
        3: (REST, {"Link": link("page=1", "first", base="http://10.0.0.1:8080/other")}),
    },
    "X-Next-Page only": {
        1: (FULL, {"X-Page": "1", "X-Next-Page": "2"}),
        2: (MORE, {"X-Page": "2", "X-Next-Page": "3"}),
        3: (REST, {"X-Page": "3", "X-Next-Page": ""}),
    },
    "each header twice": {
        1: (FULL, {"X-Page": "1, 1", "X-Next-Page": "2, 2"}),
        2: (MORE, {"X-Page": "2, 2", "X-Next-Page": "3,3"}),
        3: (REST, {"X-Page": "3, 3", "X-Next-Page": ", "}),
    },
    "no headers": {1: (FULL, {}), 2: (MORE, {}), 3: (REST, {})},
    "page size in X-Per-Page only": {
        1: (FULL, {"X-Per-Page": "100"}),
        2: (MORE, {"X-Per-Page": "100"}),
        3: (REST, {"X-Per-Page": "100"}),
    },
}


@pytest.mark.parametrize("table", OFFSET_SERVERS.values(), ids=OFFSET_SERVERS)
def test_offset_list_is_read_completely(table):
    pages = Pages(table)
    assert walked(pages) == FULL + MORE + REST
    assert [position.get("page") for position in pages.asked] == [None, "2", "3"]
    # only the position in a link is used: neither its filters nor its secrets
    assert all(set(position) <= {"page", "per_page"} for position in pages.asked)


@pytest.mark.parametrize("last", [{"X-Next-Page": ""}, {"Link": link("page=1", "first")}], ids=["number", "link"])
def test_full_last_page_ends_the_list_if_headers_say_so(last):
    pages = Pages({1: (FULL, last)})
    assert walked(pages) == FULL
    assert len(pages.asked) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        # from a proxy that drops Link and X-Next-Page, or sets its own Link
        {"X-Page": "1", "X-Per-Page": "100", "X-Total": "300"},
        {"Link": '</style.css>; rel="preload"; as=style'},
        {"Link": ""},
        {"X-Per-Page": "1000"},
    ],
)
def test_full_page_without_a_next_page_header_is_not_the_last(headers):
    pages = Pages({1: (FULL, headers), 2: (MORE, headers), 3: ([], headers)})
    assert walked(pages) == FULL + MORE
    assert len(pages.asked) == 3


def test_smaller_pages_than_requested_are_read_completely():
    table = {1: (FULL[:50], {"X-Per-Page": "50"}), 2: (FULL[50:], {"X-Per-Page": "50"}), 3: ([], {"X-Per-Page": "50"})}
    assert walked(Pages(table)) == FULL


def test_empty_list_is_read():
    assert walked(Pages({1: ([], {"X-Next-Page": ""})})) == []
    assert walked(Pages({1: ([], {})})) == []


def test_records_pushed_to_the_next_page_are_returned_once():
    table = {1: ([9, 8, 7], {"X-Next-Page": "2"}), 2: ([7, 6], {"X-Next-Page": "3"}), 3: ([6, 5], {"X-Next-Page": ""})}
    assert walked(Pages(table)) == [9, 8, 7, 6, 5]


def test_records_without_id_are_all_kept():
    assert list(walk(lambda position: reply([{"name": "a"}, {"name": "a"}]))) == [{"name": "a"}] * 2


def test_keyset_list_follows_the_cursor_of_each_link():
    pages = Pages(
        {
            1: (FULL, {"Link": link("cursor=abc%3D&id=7&pagination=keyset&per_page=100")}),
            "abc=": (MORE, {"Link": link("cursor=def&order_by=name&per_page=100", base="http://internal")}),
            "def": (REST, {}),
        }
    )
    assert walked(pages, "keyset") == FULL + MORE + REST
    assert pages.asked == [KEYSET_START, {**KEYSET_START, "cursor": "abc="}, {**KEYSET_START, "cursor": "def"}]


def test_keyset_list_ends_at_a_page_without_a_link():
    pages = Pages({1: (FULL, {"Link": link("cursor=abc")}), "abc": (MORE, {})})
    assert walked(pages, "keyset") == FULL + MORE
    assert len(pages.asked) == 2


def test_server_without_keyset_is_read_by_page_number():
    pages = Pages(
        {
            1: (FULL, {"Link": link("page=2&pagination=keyset&per_page=100"), "X-Page": "1", "X-Next-Page": "2"}),
            2: (REST, {"X-Page": "2", "X-Next-Page": ""}),
        }
    )
    assert walked(pages, "keyset") == FULL + REST
    assert pages.asked[1] == {"per_page": 100, "page": "2"}


@pytest.mark.parametrize(
    "table",
    [
        {1: (FULL, {"X-Next-Page": "2"}), 2: (MORE, {"X-Next-Page": "2"})},
        {1: (FULL, {"X-Next-Page": "2"}), 2: (MORE, {"X-Next-Page": "1"})},
        {1: (FULL, {"X-Next-Page": "1"})},
        {1: (FULL, {"Link": link("page=1")})},
        {1: (FULL, {"Link": link("cursor=a")}), "a": (MORE, {"Link": link("cursor=a")})},
        {
            1: (FULL, {"Link": link("cursor=a")}),
            "a": (MORE, {"Link": link("cursor=b")}),
            "b": (REST, {"Link": link("cursor=a")}),
        },
    ],
)
def test_circular_pages_are_an_error(table):
    pages = Pages(table)
    with pytest.raises(BadAnswerError, match="next page|contains only records of the pages before it"):
        walked(pages, "keyset")
    assert len(pages.asked) <= 4


@pytest.mark.parametrize("headers", [{"X-Next-Page": "3"}, {"Link": link("page=3")}, {"X-Next-Page": "999999999"}])
def test_skipped_pages_are_an_error(headers):
    pages = Pages({1: (FULL, headers), 2: (MORE, {"X-Next-Page": "3"}), 3: (REST, {}), 999999999: ([], {})})
    with pytest.raises(BadAnswerError, match="returns page .* as the next page after page 1"):
        walked(pages)


@pytest.mark.parametrize(
    "headers",
    [{"X-Next-Page": text} for text in ("two", "-2", "2.0", "2, 3", "9" * 30)]
    + [{"Link": link(query)} for query in ("page=two", "offset=100", "")],
    ids=str,
)
def test_invalid_next_page_is_an_error(headers):
    pages = Pages({1: (FULL, headers)})
    with pytest.raises(BadAnswerError, match=f"the server's {next(iter(headers))} header has no valid next page"):
        walked(pages)


@pytest.mark.parametrize("headers", [{"X-Next-Page": "two"}, {"X-Next-Page": "3"}, {"Link": link("")}])
def test_invalid_next_page_fails_only_when_it_is_needed(headers):
    records = walk(Pages({1: (FULL, headers)}))
    assert [next(records)["id"] for _record in FULL] == FULL
    with pytest.raises(BadAnswerError):
        next(records)


def test_invalid_link_is_ignored_if_x_next_page_is_valid():
    pages = Pages({1: (FULL, {"Link": link("page=two"), "X-Next-Page": "2"}), 2: (REST, {"X-Next-Page": ""})})
    assert walked(pages) == FULL + REST


@pytest.mark.parametrize("headers", [{}, {"X-Next-Page": "{next}"}, {"Link": link("page={next}")}], ids=str)
def test_server_that_ignores_the_page_number_is_an_error(headers):
    asked = []

    def fetch(position):
        asked.append(position)
        following = {name: value.replace("{next}", str(len(asked) + 1)) for name, value in headers.items()}
        return reply([{"id": number} for number in FULL], headers=following)

    with pytest.raises(BadAnswerError, match="page 2 of the list contains only records of the pages before it"):
        list(walk(fetch))
    assert len(asked) == 2


def test_ten_thousand_records_are_read_in_a_hundred_requests():
    def page(number):
        first = 10_000 - (number - 1) * 100
        return list(range(first, first - 100, -1)), {"X-Next-Page": str(number + 1) if number < 100 else ""}

    pages = Pages({number: page(number) for number in range(1, 101)})
    assert walked(pages) == list(range(10_000, 0, -1))
    assert len(pages.asked) == 100


def test_walk_requests_pages_only_when_needed():
    pages = Pages({1: ([9], {"X-Next-Page": "2"})})
    assert next(walk(pages, "offset", 1)) == {"id": 9}
    assert pages.asked == [{"per_page": 1}]


@given(st.integers(0, 25), st.integers(1, 6), st.sampled_from(["link", "number", "none"]))
def test_list_of_any_length_and_page_size_is_read_completely(count, size, kind):
    ids = list(range(count, 0, -1))

    def fetch(position):
        number = int(position.get("page", 1))
        rows = ids[(number - 1) * size : number * size]
        has_next = number * size < count
        headers = {
            "link": {"Link": link(f"page={number + 1}") if has_next else link("page=1", "first")},
            "number": {"X-Next-Page": str(number + 1) if has_next else ""},
            "none": {},
        }[kind]
        return reply([{"id": row} for row in rows], headers=headers)

    assert walked(fetch, page_size=size) == ids


@pytest.mark.parametrize(
    ("header", "page"),
    [
        ('<http://h/x?page=2>; rel="next"', "2"),
        ("<http://h/x?page=2>; rel=next", "2"),
        ('<http://h/x?page=9>; rel="last", <http://h/x?page=2&a=%2C%3E>; rel="next"', "2"),
        ('<http://h/x?page=2>; title="a"; rel="next"', "2"),
        ('<http://h/x?page=2>;rel="NEXT"', "2"),
        ("<?page=2>; rel=next", "2"),
        ("</api/v4/x?page=2>; rel=next", "2"),
    ],
)
def test_link_header_is_parsed_in_every_form(header, page):
    response = dataclasses.replace(reply([], headers={"Link": header}), url=API + "/x")
    assert next_position({"per_page": 100}, 100, response) == {"per_page": 100, "page": page}


def test_empty_page_has_no_next_page():
    headers = {"Link": link("page=3"), "X-Next-Page": "3"}
    assert next_position({"per_page": 100, "page": 2}, 0, reply([], headers=headers)) is None


@pytest.mark.parametrize(
    "address",
    ["http://h\\@g/x?page=7", "http://u@h/x?page=7", "http://h x?page=7", "http://[?page=7", "ftp://h/?page=7"],
)
def test_link_to_an_invalid_url_is_ignored(address):
    headers = {"Link": f"<{address}>; rel=next", "X-Next-Page": "2"}
    assert next_position({"per_page": 100}, 100, reply([], headers=headers)) == {"per_page": 100, "page": "2"}

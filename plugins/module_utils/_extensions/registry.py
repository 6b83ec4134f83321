# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What the hook `gitlab_register_endpoints` is given: a place to add and to replace endpoints."""

from __future__ import annotations

import difflib
import re
import typing as t

from .._api.catalogue import PAGING
from .._api.endpoints import Answer, Endpoint, EndpointRegistry, Paging, Parameter, Place
from .._api.errors import ExtensionError

# The names of arguments; with a mapping, by name what each is sent as.
Names = t.Union[t.Sequence[str], t.Mapping[str, str]]

_IN_BRACES = re.compile(r"{(\w+)}")


class Registry:
    """Collects endpoints. Replacements count at the end, so they need not wait until the catalogue is there."""

    def __init__(self) -> None:
        self._added = EndpointRegistry()
        self._replaced: dict[str, Endpoint] = {}

    def add(self, endpoint: Endpoint) -> None:
        """Add an endpoint.

        :raises ValueError: when the name is taken.
        """
        self._added.add(endpoint)

    def replace(self, endpoint: Endpoint) -> None:
        """Replace the endpoint with this name; of several replacements the first one counts.

        An extension that replaces an unknown endpoint fails the task.
        """
        self._replaced.setdefault(endpoint.name, endpoint)

    def endpoint(
        self,
        name: str,
        method: str,
        path: str,
        *,
        query: Names = (),
        body: Names = (),
        with_slashes: t.Collection[str] = (),
        ok_statuses: tuple[int, ...] = (200,),
        answer: Answer = "record",
        paginated: Paging = "",
        repeatable: bool | None = None,
        doc_url: str = "",
    ) -> Endpoint:
        """Return an endpoint to add, or to replace another with.

        :param path: below `/api/v4`; each name in braces is a required argument.
        :param query: names of optional arguments for the query; in a mapping, by name what each is sent as.
        :param body: the same for the JSON body.
        :param with_slashes: names in the path whose values keep their slashes, such as refs and paths of files.
        :param repeatable: whether sending it twice does no more than sending it once; None for GET only.
        :raises ValueError: when one name stands for two arguments.
        """
        in_path = _IN_BRACES.findall(path)
        params = [
            *(Parameter(each, "rest" if each in with_slashes else "segment", is_required=True) for each in in_path),
            *_parameters("query", query),
            *_parameters("body", body),
            *(PAGING if paginated else ()),
        ]
        names = [param.name for param in params]
        twice = sorted({each for each in names if names.count(each) > 1} | set(with_slashes) - set(in_path))
        if twice:
            raise ValueError(f"endpoint {name}: each argument has one place, unlike {', '.join(twice)}")
        return Endpoint(
            name=name,
            method=method,
            path=path,
            params=tuple(params),
            ok_statuses=ok_statuses,
            answer=answer,
            paginated=paginated,
            repeatable=method == "GET" if repeatable is None else repeatable,
            doc_url=doc_url,
        )

    def endpoints(self) -> EndpointRegistry:
        """Return the endpoints, replacements in their places.

        :raises ExtensionError: when a replacement has nothing to replace.
        """
        known = [endpoint.name for endpoint in self._added]
        for name in self._replaced:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=3)
                hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "use registry.add for a new one"
                raise ExtensionError(f"an extension replaces endpoint {name!r}, which does not exist; {hint}")
        final = EndpointRegistry()
        for endpoint in self._added:
            final.add(self._replaced.get(endpoint.name, endpoint))
        return final


def _parameters(place: Place, names: Names) -> t.Iterator[Parameter]:
    if isinstance(names, t.Mapping):
        return (Parameter(name, place, sent_as=(wire_name,)) for name, wire_name in names.items())
    return (Parameter(name, place) for name in names)

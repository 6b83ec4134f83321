# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The admin path /_simulator: read and change the world. It needs no token and is not logged."""

from __future__ import annotations

import re
import typing as t
import urllib.parse

import yaml

from . import errors
from .call import Reply, Request, json_reply
from .fault_presets import PRESETS, REFUSALS
from .schema import REQUIRED, ScenarioError, fill
from .simulation import Simulation

PREFIX = "/_simulator"

Arguments = dict[str, t.Any]


def answer(simulation: Simulation, request: Request) -> Reply:
    """Return the answer to a request below the admin path."""
    path = request.raw_path[len(PREFIX) :].rstrip("/")
    for method, pattern, handler in _ROUTES:
        match = re.fullmatch(pattern, path)
        if match and method == request.method:
            try:
                with simulation.lock:
                    return handler(simulation, request, *match.groups())
            except errors.ApiError as error:
                return json_reply(error.body, status=error.status)
            except KeyError as error:
                return json_reply({"error": f"not found: {error.args[0]}"}, status=404)
            except (ScenarioError, ValueError, TypeError, yaml.YAMLError) as error:
                return json_reply({"error": str(error)}, status=400)
    return json_reply({"error": f"not found: {request.method} {request.raw_path}"}, status=404)


def _data(request: Request) -> t.Any:
    # YAML includes JSON, so a scenario can be either.
    return yaml.safe_load(request.body.decode()) if request.body.strip() else {}


def _health(simulation: Simulation, request: Request) -> Reply:
    return json_reply({"status": "ok", "version": simulation.engine.world.features.text})


def _requests(simulation: Simulation, request: Request) -> Reply:
    return json_reply(simulation.requests)


def _effects(simulation: Simulation, request: Request) -> Reply:
    return json_reply(simulation.effects.rows)


def _add_hook(simulation: Simulation, request: Request) -> Reply:
    simulation.add_hook(**_data(request))
    return json_reply({"hooks": len(simulation.outbox.hooks)}, status=201)


def _jobs(simulation: Simulation, request: Request) -> Reply:
    simulation.engine.advance()
    jobs = simulation.engine.world.jobs
    return json_reply([simulation.view(jobs[number]) for number in sorted(jobs)])


def _clear_logs(simulation: Simulation, request: Request) -> Reply:
    simulation.clear_logs()
    return Reply(204, content_type=None)


def _clock(simulation: Simulation, request: Request) -> Reply:
    simulation.engine.advance()
    clock = simulation.engine.clock
    return json_reply({"clock": clock.name, "now": simulation.engine.time, "epoch": clock.epoch.isoformat()})


def _advance(simulation: Simulation, request: Request) -> Reply:
    return json_reply({"now": simulation.advance(float(_data(request)["seconds"]))})


def _load(simulation: Simulation, request: Request) -> Reply:
    query = dict(urllib.parse.parse_qsl(request.query))
    simulation.load(_data(request), version=query.get("version"), clock_name=query.get("clock"))
    return json_reply({"status": "loaded", "version": simulation.engine.world.features.text})


def _number_or_name(text: str) -> int | str:
    return int(text) if text.isdecimal() else urllib.parse.unquote(text)


def _set_job(simulation: Simulation, request: Request, job: str) -> Reply:
    return json_reply(simulation.view(simulation.set_job(_number_or_name(job), _data(request))))


def _act(simulation: Simulation, request: Request, job: str, action: str) -> Reply:
    return json_reply(simulation.view(simulation.act(action, _number_or_name(job))))


def _add_fault(simulation: Simulation, request: Request) -> Reply:
    data = _data(request)
    if isinstance(data, dict) and ("rules" in data or set(data) == {"seed"}):
        whole = fill(data, {"rules": [], "seed": None}, kind="faults", place="faults")
        if whole["seed"] is not None:
            simulation.faults.seed = int(whole["seed"])
        data = whole["rules"]
    for rule in data if isinstance(data, list) else [data]:
        simulation.faults.add(**rule)
    return json_reply({"rules": len(simulation.faults.rules)}, status=201)


def _faults(simulation: Simulation, request: Request) -> Reply:
    return json_reply(simulation.faults.describe())


def _presets(simulation: Simulation, request: Request) -> Reply:
    return json_reply({**PRESETS, **REFUSALS})


def _jump(simulation: Simulation, request: Request) -> Reply:
    return json_reply({"unix_time": simulation.jump_clock(float(_data(request)["seconds"]))})


def _create_pipeline(simulation: Simulation, request: Request) -> Reply:
    table = {"ref": REQUIRED, "project": None, "user": None, "variables": {}, "source": "api"}
    row = fill(_data(request), table, kind="new pipeline", place="pipeline")
    return json_reply({"id": simulation.create_pipeline(**row)}, status=201)


def _pipeline(simulation: Simulation, request: Request, number: str) -> Reply:
    simulation.engine.advance()
    return json_reply(simulation.view_pipeline(int(number)))


def _set_ref(simulation: Simulation, request: Request) -> Reply:
    row = fill(_data(request), {"name": REQUIRED, "sha": None, "project": None, "tag": False}, kind="ref", place="ref")
    return json_reply({"sha": simulation.set_ref(**row)})


def _clear_faults(simulation: Simulation, request: Request) -> Reply:
    simulation.faults.rules.clear()
    return Reply(204, content_type=None)


_ROUTES: list[tuple[str, str, t.Callable[..., Reply]]] = [
    ("GET", "/health", _health),
    ("GET", "/requests", _requests),
    ("GET", "/effects", _effects),
    ("POST", "/hooks", _add_hook),
    ("GET", "/jobs", _jobs),
    ("DELETE", "/logs", _clear_logs),
    ("GET", "/clock", _clock),
    ("POST", "/clock/advance", _advance),
    ("POST", "/scenario", _load),
    ("POST", "/jobs/([^/]+)", _set_job),
    ("POST", "/jobs/([^/]+)/([a-z_]+)", _act),
    ("POST", "/clock/jump", _jump),
    ("POST", "/pipelines", _create_pipeline),
    ("GET", r"/pipelines/(\d+)", _pipeline),
    ("POST", "/refs", _set_ref),
    ("GET", "/faults", _faults),
    ("GET", "/faults/presets", _presets),
    ("POST", "/faults", _add_fault),
    ("DELETE", "/faults", _clear_faults),
]

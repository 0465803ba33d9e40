"""The OpenAPI 3.1 document of the ways in, made of the same data that serves them."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from commands.decider import AnyDecider, Command
from commands.reads import RECORD_PLATE_READ
from operations.examples import NAMES
from operations.permissions import PERMISSIONS, Access
from write_api import devices, reading, webhooks
from write_api.commanding import IDENTITIES
from write_api.routes import Choice, CommandRoute

type Json = dict[str, Any]

SCHEMAS = "#/components/schemas/"
PROBLEM_CONTENT: Json = {"application/problem+json": {"schema": {"$ref": SCHEMAS + "Problem"}}}
INTRODUCTION = """
Every command is a POST. It is answered with 201 and the position of the log that it led to, with 200 where
there was nothing left to do, with 409 and its `rule` where a rule of parking refuses it, and with 422
naming the field where it cannot be understood. Under an `Idempotency-Key` the same request is answered the
same way again, also after a restart. Instants carry an offset; amounts are in minor units (cents); plates are
written `REGION NUMBER`.
"""

PROBLEMS = {
    400: "The body is not one JSON object in UTF-8, or a header cannot be used.",
    401: "No usable bearer token came with the request.",
    403: "The role of the token may not do this, or not to this.",
    409: "A rule refuses the command (`rule` names it), or the Idempotency-Key stands for another request.",
    413: "The body is too large.",
    415: "The body is not of an accepted media type.",
    422: "A field is missing, unknown or unusable; `errors` names each.",
    500: "Something failed that nobody foresaw; the server's log explains it under `incident`.",
    503: "The log cannot be reached, or too many changed the same thing at once. Send it again.",
}

PROBLEM: Json = {
    "type": "object",
    "title": "Problem",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:parkledger:problem:right-in-force"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "The sentence that a person reads."},
        "rule": {"type": "string", "description": "The rule that refused.", "examples": ["RightInForce"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "problem"],
                "properties": {"field": {"type": "string"}, "problem": {"type": "string"}},
            },
        },
        "incident": {"type": "string"},
    },
}
POSITION: Json = {
    "type": "integer",
    "minimum": 0,
    "description": "The log position that the answer rests on.",
}
READ_ANSWER: Json = {
    "type": "object",
    "title": "ReadAnswer",
    "description": "What the screen should show, recorded with the read.",
    "required": ["read", "device", "plate", "zone", "answer", "position", "alerts", "as_of"],
    "properties": {
        "read": {"type": "string"},
        "device": {"type": "string"},
        "plate": {"type": "string", "examples": ["ON CKTR482"]},
        "zone": {"type": "string"},
        "answer": {"enum": ["valid", "in_grace", "no_right", "possible_match", "exempt"]},
        "right": {"type": "string", "description": "The permit, session or exemption that it rests on."},
        "until": {"type": "string", "format": "date-time", "description": "Until when; in grace, its end."},
        "possible_matches": {"type": "array", "items": {"type": "string"}, "description": "Best first."},
        "position": POSITION,
        "alerts": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["entry", "stale", "reason"],
                "properties": {
                    "entry": {"type": "string"},
                    "stale": {"type": "boolean", "description": "Cancelled by then, unknown to the device."},
                    "reason": {"type": ["string", "null"]},
                    "source": {"type": "string"},
                },
            },
        },
        "as_of": {
            "type": "object",
            "required": ["position", "recorded", "age_ms"],
            "properties": {
                "position": POSITION,
                "recorded": {"type": ["string", "null"], "format": "date-time"},
                "age_ms": {"type": ["number", "null"], "description": "Null in an answer given again."},
            },
        },
    },
}
_READS = """Send one read as JSON, or any number as lines of JSON (`application/x-ndjson`). Lines are answered
one by one, in order, while the stream is still open; a line that cannot be taken is answered with its problem
and its `line` number, and stops no other. The same read from the same device gets the first answer again.
The `Idempotency-Key` of a stream stands for those of its lines that have no `read`.

"""
HEADERS: tuple[Json, ...] = (
    {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key and body gives the first answer again; another body is refused.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
    },
    {
        "name": "X-Correlation-Id",
        "in": "header",
        "description": "The conversation that this belongs to; kept with the events, and sent back.",
        "schema": {"type": "string", "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
    },
)


def document_of(app: Any, routes: Iterable[CommandRoute]) -> Json:
    """Return the document of the app's FastAPI routes, the command routes, and the ways in beside them."""
    routes = tuple(routes)
    found = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=INTRODUCTION,
        routes=app.routes,
    )
    kinds = {decider.command for route in (*routes, reading.ROUTE) for decider in route.deciders()}
    bodies: list[type[BaseModel]] = [*sorted(kinds, key=lambda kind: kind.__name__), devices.Sync]
    models: list[tuple[type[BaseModel], Literal["validation"]]] = [(kind, "validation") for kind in bodies]
    _, schemas = models_json_schema(models, ref_template=SCHEMAS + "{model}")
    definitions = schemas["$defs"]
    for route in routes:
        found["paths"][route.path] = {"post": _operation(route, definitions)}
    found["paths"][reading.ROUTE.path] = {"post": _reads(definitions)}
    found["paths"][devices.PATH] = {"post": _sync(definitions)}
    found["paths"][webhooks.PATH] = {"post": _webhook()}
    named = {kind.__name__ for kind in bodies}
    parts = found.setdefault("components", {}).setdefault("schemas", {})
    parts.update({name: schema for name, schema in definitions.items() if name not in named})
    parts |= {"Problem": PROBLEM, "ReadAnswer": READ_ANSWER}
    found["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    return found


def _operation(route: CommandRoute, definitions: Mapping[str, Json]) -> Json:
    operation: Json = operation_of(route.path, route.area, route.summary, _description(route))
    schema = _body(route, definitions)
    operation["requestBody"] = _request(schema, route.example)
    operation["responses"] = {**_taken(_answer(route)), **problem_responses()}
    return operation


def _request(schema: Json, example: Mapping[str, Any], **others: Json) -> Json:
    needed = [option.get("required") for option in schema.get("oneOf", (schema,))]
    content = {"application/json": {"schema": schema, "example": dict(example)}, **others}
    return {"required": all(needed), "content": content}


def _taken(schema: Json, **others: Json) -> Json:
    """Return the answers to what was taken, by status."""
    return {
        str(status): {
            "description": description,
            "headers": {"Log-Position": {"required": True, "schema": POSITION}},
            "content": {"application/json": {"schema": schema}, **others},
        }
        for status, description in ((201, "Done."), (200, "There was nothing left to do."))
    }


def _reads(definitions: Mapping[str, Json]) -> Json:
    route = reading.ROUTE
    operation = operation_of(route.path, route.area, route.summary, _READS + _description(route))
    schema = _fields(route, RECORD_PLATE_READ, definitions)
    lines = {"schema": {"type": "string"}, "example": json.dumps(dict(route.example)) + "\n"}
    operation["requestBody"] = _request(schema, route.example, **{"application/x-ndjson": lines})
    operation["responses"] = {**_taken({"$ref": SCHEMAS + "ReadAnswer"}), **problem_responses()}
    streamed = operation["responses"]["200"]
    streamed["content"]["application/x-ndjson"] = {"schema": {"type": "string"}}
    streamed["headers"] = {"Log-Position": {"schema": POSITION, "description": "Not with a stream."}}
    return operation


def _sync(definitions: Mapping[str, Json]) -> Json:
    operation = operation_of(devices.PATH, "devices", "Sync a device.", devices.__doc__ or "")
    schema = dict(definitions["Sync"])
    schema["properties"] = {name: of for name, of in schema["properties"].items() if name != "device"}
    schema["required"] = []
    operation["requestBody"] = _request(schema, devices.EXAMPLE) | {"required": True}
    answer: Json = {
        "type": "object",
        "required": ["position", "device", "list_version", "list", "reads", "citations"],
        "properties": {
            "position": POSITION,
            "device": {"type": "string"},
            "list_version": POSITION,
            "list": {"type": "object"},
            "reads": {"type": "array", "items": {"type": "object"}},
            "citations": {"type": "array", "items": {"type": "object"}},
        },
    }
    taken = _taken(answer)
    operation["responses"] = {"201": taken["201"], **problem_responses()}
    return operation


def _webhook() -> Json:
    summary = "Hear what a payment provider tells."
    operation = operation_of(webhooks.PATH, "webhooks", summary, webhooks.__doc__ or "")
    operation["security"] = []
    signature = {"type": "string", "pattern": "^t=[0-9]{1,12},v1=[0-9a-f]{64}$"}
    operation["parameters"] = [
        {"name": "Parkledger-Signature", "in": "header", "required": True, "schema": signature}
    ]
    schema: Json = {
        "type": "object",
        "required": ["id", "event", "data"],
        "properties": {
            "id": {"type": "string", "minLength": 1, "maxLength": webhooks.LONGEST_ID},
            "event": {"enum": list(webhooks.EVENTS)},
            "data": {"type": "object"},
        },
    }
    operation["requestBody"] = _request(schema, webhooks.EXAMPLE)
    answer: Json = {"type": "object", "required": ["position"], "properties": {"position": POSITION}}
    operation["responses"] = {**_taken(answer), **problem_responses(403)}
    return operation


def operation_of(path: str, area: str, summary: str, description: str) -> Json:
    """Return what every way in's operation has: names, parameters, security."""
    return {
        "operationId": re.sub(r"\W+", "_", path.removeprefix("/v1/")).strip("_"),
        "tags": [area],
        "summary": summary,
        "description": description,
        "security": [{"bearer": []}],
        "parameters": [
            *(
                {
                    "name": part[1:-1],
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "minLength": 1, "maxLength": 100},
                    "example": NAMES[part[1:-1]],
                }
                for part in path.split("/")
                if part.startswith("{")
            ),
            *HEADERS,
        ],
    }


def problem_responses(*left_out: int) -> Json:
    """Return the problems that a way in may answer with."""
    return {
        str(status): {"description": description, "content": PROBLEM_CONTENT}
        for status, description in PROBLEMS.items()
        if status not in left_out
    }


def _description(route: CommandRoute) -> str:
    rules = "\n\n".join((decider.command.__doc__ or "").strip() for decider in route.deciders())
    marks = PERMISSIONS.get(("POST", route.path), {})
    able = [
        f"{role}{' (their own)' if access is Access.OWN else ''}"
        for role, access in marks.items()
        if access is not Access.NONE
    ]
    return f"{rules}\n\nFor: {', '.join(able)}."


def _body(route: CommandRoute, definitions: Mapping[str, Json]) -> Json:
    if not isinstance(route.command, Choice):
        return _fields(route, route.command, definitions)
    by = route.command.by
    options = []
    for number, (value, decider) in enumerate(route.command.among.items()):
        schema = _fields(route, decider, definitions)
        schema["properties"] = {by: {"const": value}, **schema["properties"]}
        if number:
            schema["required"] = [by, *schema.get("required", ())]
        options.append(schema)
    return {"oneOf": options}


def _fields(route: CommandRoute, decider: AnyDecider, definitions: Mapping[str, Json]) -> Json:
    """Return the schema of a command as its body is sent: without what the path says, `at` optional."""
    schema = dict(definitions[decider.command.__name__])
    said = {route.names.get(name, name) for name in route.path_fields}
    optional = said | {"at", route.mints} | ({"account"} if route.takes_account else set())
    optional |= {"citation"} if route.of_appeal else set()
    optional |= {"device"} if route.signed else set()
    schema["properties"] = {name: of for name, of in schema["properties"].items() if name not in said}
    schema["required"] = [name for name in schema.get("required", ()) if name not in optional]
    if not schema["required"]:
        del schema["required"]
    if "plate" in schema["properties"]:
        region = {"type": "string", "description": "The plate's region, where `plate` is its number alone."}
        schema["properties"]["region"] = region
    return schema


def _answer(route: CommandRoute) -> Json:
    names = _answered(tuple(decider.command for decider in route.deciders()))
    return {
        "type": "object",
        "required": ["position"],
        "properties": {"position": POSITION, **{name: {"type": "string"} for name in names}},
    }


@cache
def _answered(kinds: tuple[type[Command], ...]) -> tuple[str, ...]:
    return tuple(name for name in IDENTITIES if any(name in kind.model_fields for kind in kinds))

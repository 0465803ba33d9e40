"""The AsyncAPI 3 document of all topics, made from the catalogue: what subscribers get and cameras send.

Payloads are described as they travel: without `at`, which is a header, and for sealed events without the
personal fields that are in the box.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from commands.reads import RecordPlateRead
from event_store.relayed import KEYED_BY, WITHHELD
from event_store.sealing import SEALED
from event_store.subjects import WORDS
from event_store.topics import AREA_NAMES, READS_IN, REJECTED, Keep, Topics
from events.base import Event
from events.catalogue import CATALOGUE

type Json = dict[str, Any]

_REF = "#/components/schemas/{model}"
_TEXT: Json = {"type": "string"}
_INSTANT: Json = {"type": "string", "format": "date-time"}
_TRACE = "W3C Trace Context; the trace is the conversation that the command belonged to."
_HEADERS: Json = {
    "type": "object",
    "required": ["position", "type", "version", "at", "recorded", "traceparent", "command", "channel"],
    "properties": {
        "position": {"type": "string", "pattern": "^[0-9]+$", "description": "Place in the log, from 1 on. "
                     "Within a partition first occurrences come in order: whoever keeps the last one has "
                     "seen all that are not greater."},
        "type": _TEXT | {"description": "Wire name of the event."},
        "version": {"type": "string", "pattern": "^[0-9]+$", "description": "Schema version of the payload."},
        "at": _INSTANT | {"description": "When it happened, as its source claims."},
        "recorded": _INSTANT | {"description": "When the log accepted it."},
        "traceparent": _TEXT | {"description": _TRACE},
        "correlation": _TEXT | {"format": "uuid"},
        "causation": {"type": "string", "pattern": "^[0-9]+$", "description": "Position of what caused it."},
        "command": _TEXT | {"format": "uuid", "description": "The command that it came of."},
        "channel": _TEXT | {"description": "The way in by which it came."},
        WITHHELD: _TEXT | {"description": "There if the event is larger than a message may be: the payload "
                           "is empty, and the event stands in the log at `position`."},
    },
}  # fmt: skip
_SEALED: Json = {
    "type": "object",
    "description": "Personal fields, sealed with AES-256-GCM under the key of their local date. Destroying "
    "the key makes them unreadable in every copy.",
    "required": ["bucket"],
    "properties": {"bucket": {"type": "string", "format": "date"}, "box": _TEXT},
}
_SEALED_WORDS: Json = {
    "type": "object",
    "description": "Words of a person, sealed with AES-256-GCM under the key of their subject, and the names "
    "of their fields. Erasing the subject makes them unreadable in every copy.",
    "required": ["bucket", "fields"],
    "properties": {"bucket": _TEXT, "fields": {"type": "array", "items": _TEXT}, "box": _TEXT},
}
_REJECTED_HEADERS: Json = {
    "type": "object",
    "required": ["reason", "problem", "source"],
    "properties": {
        "reason": _TEXT | {"description": "Why it can never be taken, in a sentence."},
        "problem": _TEXT | {"description": "The problem as RFC 9457 writes it, as JSON."},
        "source": _TEXT | {"description": "topic/partition/offset at which it came."},
    },
}


def asyncapi(topics: Topics, bootstrap: str | None = None) -> Json:
    """Return the document for an office's topics."""
    schemas = _schemas([*CATALOGUE.values(), RecordPlateRead])
    messages = {name: _message(event) for name, event in CATALOGUE.items()}
    messages["PublishedRead"] = {
        "name": "PublishedRead",
        "title": "A plate read of a camera",
        "contentType": "application/json",
        "summary": "Taken as `POST /v1/plate-reads` takes it; the same device and read id is one read.",
        "headers": {"type": "object", "properties": {"traceparent": _TEXT | {"description": _TRACE}}},
        "payload": {"$ref": _REF.format(model="PublishedRead")},
        "bindings": {"kafka": {"key": _TEXT | {"description": "The device."}}},
    }
    messages["RejectedRead"] = {
        "name": "RejectedRead",
        "title": "A message that can never be taken",
        "summary": "As it came, whatever it is, with the reason in the headers.",
        "headers": _REJECTED_HEADERS,
        "payload": {"description": "The message as it came."},
    }
    schemas["PublishedRead"] = _published(schemas.pop("RecordPlateRead"))
    channels = _channels(topics)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "ParkLedger: topics",
            "version": "1",
            "description": "The events of a parking office by area, and the topic that cameras publish to.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {"host": (bootstrap or "kafka:9092").split(",")[0], "protocol": "kafka"},
        },
        "channels": channels,
        "operations": {
            f"{'receive' if stream == READS_IN else 'send'}-{stream.replace('.', '-')}": {
                "action": "receive" if stream == READS_IN else "send",
                "channel": {"$ref": f"#/channels/{_name(stream)}"},
            }
            for stream in (*AREA_NAMES, READS_IN, REJECTED)
        },
        "components": {"messages": messages, "schemas": schemas},
    }


def _channels(topics: Topics) -> Json:
    found = {}
    for area in AREA_NAMES:
        names = [name for name, event in CATALOGUE.items() if event.area == area]
        key = " or ".join(KEYED_BY[area]) or "the event's name"
        found[area] = _channel(topics, area, names, f"Events of {area}, keyed by {key}.")
    found[_name(READS_IN)] = _channel(topics, READS_IN, ["PublishedRead"], "Where cameras publish reads.")
    found[_name(REJECTED)] = _channel(topics, REJECTED, ["RejectedRead"], "Reads that can never be taken.")
    return found


def _channel(topics: Topics, stream: str, messages: Sequence[str], description: str) -> Json:
    keep = topics.keeps.get(stream, Keep())
    configuration: Json = {"cleanup.policy": keep.config()["cleanup.policy"].split(",")}
    configuration["retention.ms"] = int(keep.config()["retention.ms"])
    return {
        "address": topics.name(stream),
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": {"partitions": topics.partitions, "topicConfiguration": configuration}},
    }


def _message(event: type[Event]) -> Json:
    return {
        "name": event.__name__,
        "title": event.__name__,
        "summary": (event.__doc__ or "").strip().partition("\n")[0],
        "contentType": "application/json",
        "headers": _HEADERS,
        "payload": {"$ref": _REF.format(model=event.__name__)},
        "bindings": {"kafka": {"key": _TEXT}},
    }


def _schemas(models: Sequence[type[BaseModel]]) -> Json:
    """Return the schema of each model and of what they are made of."""
    _, found = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    schemas: Json = found["$defs"]
    for name, event in CATALOGUE.items():
        schemas[name] = _as_it_travels(event, schemas[name])
    return schemas


def _as_it_travels(event: type[Event], schema: Mapping[str, Any]) -> Json:
    """Return an event's schema without what is not in the payload, and with what is instead."""
    personal = set(event.personal) if event.__name__ in SEALED else set()
    properties = {name: one for name, one in schema["properties"].items() if name != "at"}
    if personal:
        properties["sealed"] = _SEALED
    elif event.__name__ in WORDS:
        properties["sealed"] = _SEALED_WORDS
    optional = {"at"} | personal
    return {
        **schema,
        "properties": properties,
        "required": [name for name in schema.get("required", ()) if name not in optional],
    }


def _published(schema: Mapping[str, Any]) -> Json:
    """Return what a camera publishes: a device may be the key instead, and `at` now."""
    optional = {"device", "at", "read"}
    return {**schema, "required": [name for name in schema.get("required", ()) if name not in optional]}


def _name(stream: str) -> str:
    return stream.replace(".", "-")

"""The AsyncAPI document holds by the official schema, and says the truth about what travels."""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from event_store.brokers import Access
from event_store.log import Log
from event_store.topics import AREA_NAMES, READS_IN, REJECTED, Topics, retention
from events.catalogue import CATALOGUE
from operations.asyncapi import asyncapi
from operations.broker_jars import cache_directory
from tests.event_store.consuming import messages, relaying, upto
from tests.projections.test_runner import tell_a_bit_of_everything

SPECS = "@asyncapi/specs@6.11.1"
GOLDEN = Path(__file__).parents[1] / "golden"
DOCUMENT = asyncapi(Topics("office", 6, keeps=retention("reads=1d,citations=compact")), "kafka:9092")


@pytest.fixture(scope="session")
def official() -> Any:
    """The schema of AsyncAPI 3.0.0 as its authors publish it, brought once by npm."""
    kept = cache_directory().with_name("asyncapi-3.0.0.json")
    if not kept.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm brings the official schema of AsyncAPI, and there is none")
        kept.parent.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(
            [npm, "pack", "--silent", SPECS], cwd=kept.parent, capture_output=True, text=True, check=True
        )
        with tarfile.open(kept.parent / packed.stdout.split()[-1]) as archive:
            found = archive.extractfile("package/schemas/3.0.0.json")
            assert found is not None
            kept.write_bytes(found.read())
    return json.loads(kept.read_text())


@pytest.mark.kafka
def test_the_document_holds_by_the_official_schema(official: Any) -> None:
    found = jsonschema.Draft7Validator(official).iter_errors(DOCUMENT)
    assert [f"{error.json_path}: {error.message[:200]}" for error in found] == []


def test_every_event_and_topic_is_described() -> None:
    described = {name for one in DOCUMENT["channels"].values() for name in one["messages"]}
    assert described == {*CATALOGUE, "PublishedRead", "RejectedRead"}
    assert {one["address"] for one in DOCUMENT["channels"].values()} == {
        f"office.{stream}" for stream in (*AREA_NAMES, READS_IN, REJECTED)
    }
    assert DOCUMENT["channels"]["reads"]["bindings"]["kafka"]["topicConfiguration"] == {
        "cleanup.policy": ["delete"],
        "retention.ms": 86_400_000,
    }


def test_every_reference_leads_somewhere() -> None:
    def references(value: Any) -> Any:
        if isinstance(value, dict):
            yield from ([value["$ref"]] if isinstance(value.get("$ref"), str) else [])
            value = list(value.values())
        for inner in value if isinstance(value, list) else ():
            yield from references(inner)

    for reference in references(DOCUMENT):
        found = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def payload_errors(name: str, payload: Any) -> list[str]:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(payload)]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_payloads_are_what_their_schemas_say(path: Path) -> None:
    golden = json.loads(path.read_text())
    if golden["version"] == CATALOGUE[golden["type"]].version:
        assert payload_errors(golden["type"], golden["payload"]) == []


@pytest.mark.kafka
def test_what_travels_is_what_the_document_says(dsn: str, log: Log, kafka: Access, prefix: str) -> None:
    topics = Topics(prefix, partitions=1)
    tell_a_bit_of_everything(log, 1)
    head = log.head()
    with relaying(dsn, kafka, topics):
        found = messages(kafka, topics, upto(head))
    headers = DOCUMENT["components"]["messages"]["PlateRead"]["headers"]
    for one in found:
        assert one.value is not None
        assert payload_errors(one.headers["type"], json.loads(one.value)) == []
        jsonschema.validate(one.headers, headers)
    assert any(b"sealed" in (one.value or b"") for one in found)

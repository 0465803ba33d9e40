"""A real Apache Kafka for tests and development: one node in KRaft mode on 127.0.0.1, ended with its owner.

It listens four times: without and with passwords (SCRAM-SHA-512), each without and with TLS. It can be
killed, paused, cut off and started again on the same ports and data, which is what tests of faults do.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from operations.broker_jars import NoBroker, jars
from operations.broker_tls import make_certificates

START_SECONDS = 90.0
USER, PASSWORD = "parkledger", "of-a-broker-on-this-machine-alone"
PROTOCOLS = ("PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL")
_LOOK = 0.05
_HEAP = ("-Xms192m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Half the memory, and a third of the time to start, of a broker's usual settings."""
_LOG4J = """
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %m (%c)%n
"""
_BORN = (
    "import os, sys; from operations.parent import end_with_parent;"
    " end_with_parent(int(sys.argv[1])); os.execvp(sys.argv[2], sys.argv[2:])"
)


class Broker:
    """One broker with its data in a directory."""

    def __init__(self, directory: Path, options: Mapping[str, str] | None = None) -> None:
        """Describe a broker; `options` are settings of the server beyond those for a single node."""
        self.directory = directory
        self._options = dict(options or {})
        self._ports = dict(zip((*PROTOCOLS, "CONTROLLER"), _free_ports(len(PROTOCOLS) + 1), strict=True))
        self._process: subprocess.Popen[bytes] | None = None
        self.authority = directory / "authority.pem"

    def address(self, protocol: str = "PLAINTEXT") -> str:
        """Return `host:port` of the listener for a security protocol."""
        return f"127.0.0.1:{self._ports[protocol]}"

    def start(self) -> Self:
        """Start the broker, and return once it listens.

        Raises:
            NoBroker: if it cannot be started here.

        """
        classes = f"{jars()}/*"
        if not (self.directory / "server.properties").exists():
            self._format(classes)
        own = [*self._java(classes), "kafka.Kafka", str(self.directory / "server.properties")]
        with (self.directory / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the program and its arguments are our own
                [sys.executable, "-c", _BORN, str(os.getpid()), *own],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal is for its owner
            )
        self._wait()
        return self

    def advertise(self, ports: Mapping[str, int]) -> None:
        """Start again, and tell whoever comes other ports for some listeners: those of a wire in between."""
        told = ",".join(f"{name}://127.0.0.1:{ports.get(name, self._ports[name])}" for name in PROTOCOLS)
        self.close()
        properties = self.directory / "server.properties"
        lines = [one for one in properties.read_text().splitlines() if not one.startswith("advertised.")]
        properties.write_text("\n".join([*lines, f"advertised.listeners={told}", ""]))
        self.start()

    def kill(self) -> None:
        """End it without warning, as a power cut does."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let it stand still: its connections stay open and nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """Stop it; its data stays in the directory."""
        self._end(signal.SIGTERM)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _java(self, classes: str) -> list[str]:
        log4j = f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}"
        return ["java", *_HEAP, log4j, "-cp", classes]

    def _format(self, classes: str) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "log4j2.properties").write_text(_LOG4J)
        _, chain = make_certificates(self.directory)
        settings = self._settings(chain)
        properties = self.directory / "server.properties"
        properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        scram = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
        identity = "cGFya2xlZGdlcnRlc3RzMQ"  # a cluster's id is 16 bytes in base64
        tool = [*self._java(classes), "kafka.tools.StorageTool", "format", "--standalone", "-t", identity]
        done = subprocess.run(  # noqa: S603 - the program and its arguments are our own
            [*tool, "-c", str(properties), "--add-scram", scram], capture_output=True, text=True, check=False
        )
        if done.returncode:
            properties.unlink()
            raise NoBroker(f"Apache Kafka could not make its directory: {done.stderr.strip()[-600:]}")

    def _settings(self, chain: Path) -> dict[str, str]:
        listeners = ",".join(f"{name}://127.0.0.1:{port}" for name, port in self._ports.items())
        advertised = ",".join(f"{name}://127.0.0.1:{self._ports[name]}" for name in PROTOCOLS)
        login = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self._ports['CONTROLLER']}",
            "controller.listener.names": "CONTROLLER",
            "listeners": listeners,
            "advertised.listeners": advertised,
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,"
            + ",".join(f"{name}:{name}" for name in PROTOCOLS),
            "inter.broker.listener.name": "PLAINTEXT",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config": login,
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": login,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(chain),
            "log.dirs": str(self.directory / "data"),
            "auto.create.topics.enable": "false",
            "broker.session.timeout.ms": "1500",  # how long it waits for itself after it was killed
            "broker.heartbeat.interval.ms": "300",
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "3",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "num.network.threads": "2",
            "num.io.threads": "4",
            **self._options,
        }

    def _wait(self) -> None:
        """Wait until it listens: a broker does so only once it can serve."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            process = self._process
            if process is None or process.poll() is not None:
                break
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self._ports["PLAINTEXT"])) == 0:
                    return
            time.sleep(_LOOK)
        self.kill()
        words = (self.directory / "broker.log").read_text(errors="replace")
        raise NoBroker(f"Apache Kafka did not start; its last words: {words.strip()[-800:] or 'none'}")

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.send_signal(number)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()

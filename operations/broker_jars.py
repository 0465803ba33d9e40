"""The program of a broker for tests and development: Apache Kafka as Maven brings it, kept for the next time.

    python -m operations.broker_jars      brings it, and prints where it is

It is kept outside the repository, in the user's cache directory, where every working copy finds it.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

KAFKA = "4.3.1"
LOG4J = "2.25.4"
BRING_SECONDS = 300.0
_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>parkledger</groupId><artifactId>broker</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>
      <version>{LOG4J}</version>
    </dependency>
  </dependencies>
</project>
"""


class NoBroker(RuntimeError):
    """A broker cannot be started here; the message says why and what to do."""


def cache_directory() -> Path:
    """Return where the jars of this release are kept."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "parkledger" / f"kafka-{KAFKA}"


def jars() -> Path:
    """Return the directory of the jars, brought by Maven where they are missing.

    Raises:
        NoBroker: where there is no Java or no Maven, or Maven cannot bring them.

    """
    if shutil.which("java") is None:
        raise NoBroker(
            "Apache Kafka needs Java 17 or newer, and there is none. Install a JRE, or set "
            "PARKLEDGER_KAFKA_BOOTSTRAP to a broker of yours."
        )
    kept = cache_directory()
    kept.parent.mkdir(parents=True, exist_ok=True)
    with (kept.parent / "kafka.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test runs may begin at once
        if not kept.is_dir():
            _bring(kept)
    return kept


def _bring(kept: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise NoBroker(
            f"Maven brings Apache Kafka {KAFKA}, and there is none. Install it, or set "
            "PARKLEDGER_KAFKA_BOOTSTRAP to a broker of yours."
        )
    with tempfile.TemporaryDirectory(prefix="kafka-", dir=kept.parent) as directory:
        pom = Path(directory) / "pom.xml"
        pom.write_text(_POM, encoding="utf-8")
        output = Path(directory) / "jars"
        goal = "dependency:copy-dependencies"
        command = [maven, "-q", "-B", "-f", str(pom), goal, f"-DoutputDirectory={output}"]
        try:
            done = subprocess.run(  # noqa: S603 - the program and its arguments are our own
                [*command, "-DincludeScope=runtime"],
                capture_output=True,
                text=True,
                timeout=BRING_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise NoBroker(f"Maven did not bring Apache Kafka within {BRING_SECONDS:.0f} s.") from late
        if done.returncode:
            raise NoBroker(f"Maven could not bring Apache Kafka: {done.stdout.strip()[-600:]}")
        output.rename(kept)


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{jars()}\n")
    except NoBroker as missing:
        sys.exit(f"{missing}")

"""`./run`: finds a uv that works, makes the environment once, and hands over."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path: Path) -> ModuleType:
    """The script as a module, at work in an empty project of its own."""
    loader = SourceFileLoader("run_script", str(ROOT / "run"))
    spec = importlib.util.spec_from_loader("run_script", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    module.ROOT = str(tmp_path)
    for name, file in {"VENV": ".venv", "OWN_UV": ".uv", "LOCK": "lock", "PROJECT": "project"}.items():
        setattr(module, name, str(tmp_path / file))
    module.STAMP = str(tmp_path / ".venv" / "stamp")
    (tmp_path / "lock").write_text("a==1")
    (tmp_path / "project").write_text("[project]")
    return module


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a program of that name, in a folder of its own, that does what the shell line says."""

    def write(name: str, line: str) -> Path:
        folder = tmp_path / f"{name}-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
        return folder / name

    return write


def test_a_shim_that_finds_no_uv_is_passed_over(
    run: ModuleType, program: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shim, real = program("uv", "echo 'no such command' >&2; exit 127"), program("uv", "exit 0")
    monkeypatch.setenv("PATH", os.pathsep.join([str(shim.parent), str(real.parent)]))
    assert next(uv for uv in run.candidates() if run.works(uv)) == str(real)


def test_an_environment_that_is_up_to_date_is_left_alone(run: ModuleType, tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "stamp").write_text(run.digest())
    run.make = pytest.fail
    run.prepare()


def test_another_lock_makes_the_environment_anew(run: ModuleType, tmp_path: Path) -> None:
    made: list[str] = []
    run.make, run.candidates, run.works = made.append, lambda: ["uv"], lambda _: True
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "stamp").write_text(run.digest())
    (tmp_path / "lock").write_text("a==2")
    run.prepare()
    run.prepare()
    assert len(made) == 1


def test_an_environment_moved_elsewhere_is_made_anew(run: ModuleType, tmp_path: Path) -> None:
    before = run.digest()
    run.ROOT = str(tmp_path / "moved")
    assert run.digest() != before


def test_packages_that_cannot_be_had_are_said_in_words_with_exit_status_2(
    run: ModuleType, program: Callable[[str, str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    uv = program("uv", 'case "$1" in venv) exit 0;; *) exit 1;; esac')
    with pytest.raises(SystemExit) as ended:
        run.make(str(uv))
    assert ended.value.code == 2
    assert "try again with a network" in capsys.readouterr().err


def test_the_script_needs_nothing_but_the_standard_library_of_python_3_8() -> None:
    code = (ROOT / "run").read_text()
    imported = {line.split()[1] for line in code.splitlines() if line.startswith("import ")}
    assert imported <= sys.stdlib_module_names
    assert "match " not in code
    assert ":=" not in code


def test_it_works_from_any_directory(tmp_path: Path) -> None:
    if not (ROOT / ".venv" / "parkledger.stamp").exists():
        pytest.skip("the environment was not made by ./run")
    shown = subprocess.run([ROOT / "run", "--help"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "parkledger" in shown.stdout

"""Settings: read from the environment, each documented, none misspelt in silence."""

from pathlib import Path

import pytest

from operations.settings import BadSetting, Settings


def test_without_any_setting_everything_has_a_default() -> None:
    settings = Settings.from_environment({})
    assert settings.dsn is None
    assert settings.data == Path("data")
    assert settings.pages == "http://127.0.0.1:8100"


def test_an_empty_value_counts_as_not_set() -> None:
    assert Settings.from_environment({"PARKLEDGER_DSN": ""}).dsn is None


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_a_misspelt_setting_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(BadSetting, match=r"PARKLEDGER_DNS is not a setting. Did you mean PARKLEDGER_DSN\?"):
        Settings.from_environment({"PARKLEDGER_DNS": "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("READ_PORT", "http"),
        ("READ_PORT", "70000"),
        ("DRAIN_SECONDS", "-1"),
        ("LOG_LEVEL", "loud"),
        ("ALGORITHMS", "HS256"),
        ("ALGORITHMS", "none"),
        ("TIMEZONE", "Mars/Base"),
    ],
)
def test_an_unusable_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"PARKLEDGER_{name} cannot be"):
        Settings.from_environment({f"PARKLEDGER_{name}": value})


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "dsn").write_text("host=db\n")
    settings = Settings.from_environment({"PARKLEDGER_DSN_FILE": str(tmp_path / "dsn")})
    assert settings.dsn == "host=db"


def test_a_missing_secret_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="PARKLEDGER_DSN_FILE names the file"):
        Settings.from_environment({"PARKLEDGER_DSN_FILE": str(tmp_path / "absent")})


def test_settings_handed_to_a_child_are_read_back_the_same() -> None:
    settings = Settings.from_environment(
        {"PARKLEDGER_DSN": "host=db", "PARKLEDGER_ALGORITHMS": "ES256,RS256", "PARKLEDGER_WRITE_PORT": "9000"}
    )
    assert Settings.from_environment(settings.environment()) == settings

"""The settings: defaults that start, environment that is read, nonsense that is refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from keelwing.cli import app
from keelwing.settings import PREFIX, Settings, unknown_variables


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setattr("keelwing.settings.CONTAINER_SECRETS", Path("nowhere"))


def test_without_any_variable_servers_are_embedded_and_the_api_is_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    assert settings.database_url is None
    assert settings.mqtt_url is None
    assert settings.http_host == "127.0.0.1"
    assert settings.webhook_allow_private is False
    assert settings.data_dir == tmp_path.resolve() / "data"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://localhost/x"),
        ("MQTT_URL", "http://localhost"),
        ("MQTT_URL", "mqtt://"),
        ("MQTT_URL", "mqtt://host:99999"),
        ("MQTT_PROTOCOL", "4"),
        ("MQTT_CLIENT_ID", "a/b"),
        ("MQTT_IN_FLIGHT_MAX", "65536"),
        ("HTTP_PORT", "-1"),
        ("LOG_LEVEL", "loud"),
        ("HORIZON_H", "0"),
        ("HORIZON_H", "nan"),
    ],
)
def test_a_value_without_meaning_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(ValidationError):
        Settings()


def test_a_file_in_the_named_directory_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keelwing_mqtt_url").write_text("mqtt://a:from-file@broker\n")
    (tmp_path / "database_owner_password").write_text("no setting of ours\n")
    monkeypatch.setenv("KEELWING_SECRETS_DIR", str(tmp_path))
    assert Settings().mqtt_url == "mqtt://a:from-file@broker"
    assert Settings().database_url is None


def test_a_variable_wins_over_a_file_unless_it_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keelwing_mqtt_url").write_text("mqtt://from-file")
    monkeypatch.setenv("KEELWING_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("KEELWING_MQTT_URL", "mqtt://from-variable")
    assert Settings().mqtt_url == "mqtt://from-variable"
    monkeypatch.setenv("KEELWING_MQTT_URL", "")
    assert Settings().mqtt_url == "mqtt://from-file"


def test_a_credential_of_systemd_wins_over_a_secret_of_a_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("container", "systemd"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "keelwing_mqtt_url").write_text(f"mqtt://{name}")
    monkeypatch.setattr("keelwing.settings.CONTAINER_SECRETS", tmp_path / "container")
    assert Settings().mqtt_url == "mqtt://container"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "systemd"))
    assert Settings().mqtt_url == "mqtt://systemd"


def test_a_file_is_judged_as_a_variable_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keelwing_mqtt_url").write_text("http://nowhere")
    monkeypatch.setenv("KEELWING_SECRETS_DIR", str(tmp_path))
    with pytest.raises(ValidationError, match="mqtt_url"):
        Settings()


def test_a_named_directory_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEELWING_SECRETS_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(ValidationError, match="secrets_dir"):
        Settings()


def test_a_child_process_reads_files_again_and_finds_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keelwing_database_url").write_text("postgresql://a:b@127.0.0.1:5/c")
    monkeypatch.setenv("KEELWING_SECRETS_DIR", str(tmp_path))
    settings = Settings()
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEELWING_MQTT_URL", "")
    assert Settings().mqtt_url is None


def test_a_child_process_reads_back_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(http_port=0, webhook_allow_private=True).with_servers(
        database_url="postgresql://a:b@127.0.0.1:5/c", mqtt_url="mqtt://127.0.0.1:6"
    )
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


def test_passwords_stay_out_of_the_text_of_the_settings() -> None:
    settings = Settings(database_url="postgresql://a:hidden@h/d", mqtt_url="mqtt://a:hidden@h")
    assert "hidden" not in repr(settings)


def test_a_setting_without_meaning_is_told_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEELWING_DATABASE_URL", "mysql://a:hidden@h/d")
    monkeypatch.setenv("KEELWING_HTTP_PORT", "eighty")
    told = CliRunner().invoke(app, ["migrate"])
    assert told.exit_code == 1
    assert "KEELWING_DATABASE_URL: " in told.stderr
    assert "KEELWING_HTTP_PORT: " in told.stderr
    assert "hidden" not in told.output + told.stderr


def test_every_setting_says_what_it_is_and_why() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description is not None, name
        assert len(field.description) > 40, name
        assert not field.is_required(), name


def test_a_misspelled_variable_is_named() -> None:
    found = unknown_variables({"KEELWING_DATABSE_URL": "x", "KEELWING_DATA_DIR": "x", "KEELWING_SHARED": "x", "PATH": "x"})
    assert found == ["KEELWING_DATABSE_URL"]

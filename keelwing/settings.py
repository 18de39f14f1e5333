"""Every setting of Keelwing, read from environment variables with the prefix `KEELWING_`, or from files named like them.

It knows names, units, defaults and why they are so. It does not know who uses them: the composition root makes one
`Settings` and hands values on; there is no global instance and no other room reads the environment.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SecretsSettingsSource, SettingsConfigDict

PREFIX = "KEELWING_"

TEST_VARIABLES = frozenset({"KEELWING_SHARED", "KEELWING_TEST_DATABASE_URL", "KEELWING_TEST_TIMESCALE", "KEELWING_STRICT_SKIPS"})
"""Variables with our prefix that the tests read and the product does not."""

CONTAINER_SECRETS = Path("/run/secrets")
"""Where Docker Compose and Kubernetes by custom put a container's secrets, one file each (compose specification, `secrets`)."""

SERVICE_CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Variable by which systemd names the directory of a service's credentials (systemd.exec(5), `LoadCredential=`)."""

MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80}
"""Default port of each scheme (IANA service names `mqtt`, `secure-mqtt`, `http`)."""


class Settings(BaseSettings):
    """The settings of one process; frozen after it was made.

    What is no variable may be a file, so that a password need not stand in an environment that others can read: the file
    `keelwing_database_url` in a directory of secrets is `KEELWING_DATABASE_URL`. A variable that is set and not empty wins.

    Raises:
        pydantic.ValidationError: a variable has no meaning; its text names the variable's field and the reason.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_ignore_empty=True, extra="forbid")

    # -- database -----------------------------------------------------------------------------------------------------

    database_url: str | None = Field(
        default=None,
        repr=False,
        description="PostgreSQL 16-18 as its owner, `postgresql://user:password@host:port/name`: migrations, and the "
        "default of the two below. Unset: an embedded server in DATA_DIR, so that a first start needs nothing.",
    )
    database_worker_url: str | None = Field(
        default=None,
        repr=False,
        description="Login of the worker and the notifier. Unset: DATABASE_URL, because one login is enough on one machine.",
    )
    database_api_url: str | None = Field(
        default=None,
        repr=False,
        description="Login of the API, for a server where it has one of its own that owns nothing. Unset: DATABASE_URL; "
        "the API then takes on the walled role after it connected.",
    )
    database_pool_max: int = Field(
        default=10,
        ge=2,
        le=200,
        description="Connections one process opens at most. 10: API, worker and notifier together stay below the 60 of "
        "the embedded server.",
    )

    # -- broker -------------------------------------------------------------------------------------------------------

    mqtt_url: str | None = Field(
        default=None,
        repr=False,
        description="Broker: `mqtt://user:password@host:port`, `mqtts://` (TLS), `ws://` (websocket). "
        "Unset: an embedded NATS in DATA_DIR.",
    )
    mqtt_protocol: Literal["3.1.1", "5"] = Field(
        default="3.1.1",
        description="MQTT version. 3.1.1, because every broker speaks it and NATS speaks nothing else.",
    )
    mqtt_ca_file: Path | None = Field(
        default=None,
        description="PEM file of the authorities that may sign the broker's certificate. Unset: the system's, as browsers "
        "do; set it for a private authority. Certificates are always checked.",
    )
    mqtt_client_id: str = Field(
        default="keelwing-worker",
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="Client id of the worker. Fixed, because the broker keeps what we have not acknowledged under it; two "
        "workers on one broker need two.",
    )
    mqtt_in_flight_max: int = Field(
        default=2000,
        ge=1,
        le=65_535,
        description="Messages held unacknowledged at most. 2000: a batch takes half of it, and a commit of a thousand readings "
        "costs each a fifth less than one of five hundred; NATS must be told (`max_ack_pending`, 1024 by default), Mosquitto too "
        "(`max_inflight_messages`, 20). At most 65,535, the number of MQTT packet ids.",
    )
    mqtt_in_flight_bytes_max: int = Field(
        default=64 * 1024**2,
        ge=1024**2,
        description="Bytes of unacknowledged messages held at most, whatever their number. 64 MiB: 1,000 messages of the "
        "largest size (256 KiB) would be four times that, and such a flood may wait.",
    )

    mqtt_resend_s: float = Field(
        default=35,
        ge=1,
        le=3_600,
        description="Seconds that a broker may take, after the worker's session was resumed, to send again what was in flight; "
        "until then no silence is judged. 35: NATS sends again after `ack_wait`, 30 s unless set, and then needs a moment.",
    )

    # -- files, network, log ------------------------------------------------------------------------------------------

    data_dir: Path = Field(
        default=Path("data"),
        validate_default=True,
        description="Directory of everything Keelwing keeps: embedded servers, demo keys, logs. `data` under the current "
        "directory, so that a clone is whole in itself; made absolute when read.",
    )
    secrets_dir: Path | None = Field(
        default=None,
        description="Directory of files that each hold a setting, named like its variable in lower case "
        "(`keelwing_database_url`); a variable wins over a file. Unset: `/run/secrets`, where Compose puts secrets, and "
        "`$CREDENTIALS_DIRECTORY` of systemd, which wins over it.",
    )
    http_host: str = Field(
        default="127.0.0.1",
        description="Address the API listens on. 127.0.0.1: nobody else reaches it until somebody decides so.",
    )
    http_port: int = Field(default=8080, ge=0, le=65_535, description="Port of the API; 0 takes a free one. 8080: needs no root.")
    metrics_host: str = Field(
        default="127.0.0.1",
        description="Address on which the worker and the notifier give their Prometheus metrics. 127.0.0.1: as for the API.",
    )
    worker_metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65_535,
        description="Port of the worker's `/metrics` and `/healthz`; 0 takes a free one and logs it. Unset: none is opened, "
        "so that several workers, and several stacks on one machine, never meet.",
    )
    notifier_metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65_535,
        description="Port of the notifier's `/metrics` and `/healthz`; 0 takes a free one and logs it. Unset: none is opened, "
        "as for the worker.",
    )
    log_format: Literal["json", "console"] = Field(
        default="json",
        description="`json`, one object a line, for machines; `console` for eyes. json, because logs are collected.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="Least severity that is logged. info: one wide record per batch, nothing per reading.",
    )

    # -- the worker ---------------------------------------------------------------------------------------------------

    batch_readings_max: int = Field(
        default=2000,
        ge=1,
        le=100_000,
        description="Readings one transaction holds at most. 2000: where COPY was measured at 83,000-142,000 rows/s; more "
        "wins little and holds acknowledgements longer.",
    )
    batch_wait_ms: int = Field(
        default=30,
        ge=0,
        le=5_000,
        description="Milliseconds a batch waits for more readings after its first. 30: below what a person notices, above "
        "a commit's own time, so that a quiet stream costs few commits.",
    )
    horizon_h: float = Field(
        default=72,
        gt=0,
        le=24 * 90,
        description="Hours a reading may be late and still be judged by the rules again; later ones are stored and counted "
        "into usage. 72: a weekend without a satellite link; checkpoints and columnstore wait as long.",
    )
    rederive_quiet_s: float = Field(
        default=2.0,
        ge=0,
        le=600,
        description="Seconds without further late readings of an asset before it is derived again. 2: a device that sends "
        "what it stored comes in bursts, and one derivation serves the burst.",
    )
    daily_pass_hour_utc: int = Field(
        default=5,
        ge=0,
        le=23,
        description="Hour of UTC from which on the worker judges each lessor's calendar once a day. 5: before the offices "
        "of Europe open, after the day's end in America.",
    )
    checkpoint_age_max_s: float = Field(
        default=300,
        gt=0,
        le=3_600,
        description="Seconds a changed state may go without a checkpoint. 300: a restart then steps at most five minutes "
        "of readings again.",
    )
    traffic_max: int = Field(
        default=200_000,
        ge=0,
        description="Identifiers of unregistered traffic whose last fix is kept. 200,000: three times the world's ships "
        "and airborne aircraft; the oldest goes first.",
    )
    rejections_retention_d: float = Field(
        default=30,
        gt=0,
        description="Days a rejected message is kept for reading and replay. 30: a month to notice and mend a device.",
    )
    rejections_bytes_max: int = Field(
        default=256 * 1024**2,
        ge=1024**2,
        description="Bytes of rejected messages kept at most; the oldest go first. 256 MiB: one mad device must not fill "
        "the disk.",
    )

    # -- webhooks -----------------------------------------------------------------------------------------------------

    webhook_allow_private: bool = Field(
        default=False,
        description="Whether webhooks may go to private, loopback and link-local addresses. false: whoever may create a "
        "webhook could otherwise reach inside the operator's network (Standard Webhooks 1.0.0, server-side request forgery).",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  there is no such file
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  made here, for its directories are known only now
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where values come from, the strongest first: the caller, the environment, files."""
        return init_settings, env_settings, SecretsSettingsSource(settings_cls, secrets_dir=secret_directories(os.environ))

    @field_validator("secrets_dir")
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        if path is not None and not _can_be_listed(path):
            raise ValueError("is no directory that can be read")
        return path

    @field_validator("database_url", "database_worker_url", "database_api_url")
    @classmethod
    def _database_scheme(cls, url: str | None) -> str | None:
        if url is not None and urlsplit(url).scheme not in {"postgresql", "postgres"}:
            raise ValueError("must begin with postgresql://")
        return url

    @field_validator("mqtt_url")
    @classmethod
    def _mqtt_scheme(cls, url: str | None) -> str | None:
        if url is not None:
            parts = urlsplit(url)
            if parts.scheme not in MQTT_PORTS or not parts.hostname:
                raise ValueError(f"must be one of {', '.join(f'{name}://host' for name in MQTT_PORTS)}")
            if parts.port == 0:
                raise ValueError("0 is no port to connect to")
        return url

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().resolve()

    def with_servers(self, *, database_url: str | None = None, mqtt_url: str | None = None) -> Self:
        """A copy that names the servers which the composition root started where none was configured."""
        return self.model_copy(
            update={
                "database_url": self.database_url or database_url,
                "mqtt_url": self.mqtt_url or mqtt_url,
            }
        )

    def environment(self) -> dict[str, str]:
        """These settings as environment variables, for a child process that makes its own `Settings` of them."""
        found = self.model_dump(mode="json", exclude_none=True)
        return {
            PREFIX + name.upper(): str(value).lower() if isinstance(value, bool) else str(value) for name, value in found.items()
        }


def secret_directories(environment: Mapping[str, str]) -> list[Path]:
    """Directories whose files are settings, the strongest last: the one that is named, else those of containers and of systemd.

    Those that are not there or may not be listed are left out; of the named one `Settings` complains.
    """
    named = environment.get(PREFIX + "SECRETS_DIR")
    credentials = environment.get(SERVICE_CREDENTIALS)
    wanted = [Path(named)] if named else [CONTAINER_SECRETS, *([Path(credentials)] if credentials else [])]
    return [path for path in wanted if _can_be_listed(path)]


def _can_be_listed(path: Path) -> bool:
    return path.is_dir() and os.access(path, os.R_OK | os.X_OK)


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Variables with our prefix that are no setting, sorted: most likely a misspelled one, worth a warning at start."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | TEST_VARIABLES
    return sorted(name for name in environment if name.upper().startswith(PREFIX) and name.upper() not in known)

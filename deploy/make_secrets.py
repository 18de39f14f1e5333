#!/usr/bin/env python3
"""Make the files with passwords that `docker-compose.yml` and the units of `deploy/systemd` read; needs Python alone.

Run once: a file that is there is never written again, so nothing that runs loses its password. To change a password remove the
files that hold it, run this again, and tell the server (docs/deploy.md).

The directory can be entered by its owner alone (0700). The files in it can be read (0444), because Compose mounts a secret
from a file with the owner and the mode it has on the host, and the accounts inside the containers are others; with `--private`
they are 0600, for units of systemd, which reads them as root and hands each service its own copy.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PASSWORD_BYTES = 24
"""192 random bits, written in 32 letters, digits, `-` and `_`: nothing that a URL or a configuration would have to quote."""

MOSQUITTO_ITERATIONS = 1000
"""Chosen: ten times what mosquitto_passwd(1) takes. A guess against 192 random bits is hopeless with any number."""

OWNER, WORKER, API, BACKUP = "keelwing", "keelwing_worker", "keelwing_api", "keelwing_backup"
"""Roles of the database; worker and API are named so by the migrations, who makes backups by docs/backup.md."""

PROTOCOLS = {"nats": "3.1.1", "mosquitto": "5"}
"""The newest MQTT that each broker speaks and Keelwing too."""


def wanted_files(database: str, broker: str, *, kept: Mapping[str, str]) -> dict[str, str]:
    """Content of every file by its name.

    Args:
        database: `host:port/name` of the database.
        broker: `host:port` of the broker.
        kept: the content of files that are there; a password among them is used again.
    """
    words = {
        name: kept.get(name, "").strip() or secrets.token_urlsafe(PASSWORD_BYTES)
        for name in (*(f"database_{role}_password" for role in ("owner", "worker", "api", "backup")), "broker_password")
    }
    owner, worker, api, backup, devices = words.values()
    return {
        **words,
        "keelwing_database_url": f"postgresql://{OWNER}:{owner}@{database}",
        "keelwing_database_worker_url": f"postgresql://{WORKER}:{worker}@{database}",
        "keelwing_database_api_url": f"postgresql://{API}:{api}@{database}",
        "backup_database_url": f"postgresql://{BACKUP}:{backup}@{database}",
        "keelwing_mqtt_url": f"mqtt://keelwing:{devices}@{broker}",
        "nats_users": f'users = [\n  {{ user: "keelwing", password: "{devices}" }}\n]',
        "mosquitto_passwords": f"keelwing:{mosquitto_hash(devices)}",
    }


def mosquitto_hash(password: str) -> str:
    """A password as Mosquitto 2 keeps it: PBKDF2 with SHA-512 (`$7$`), its iterations, salt and hash (mosquitto_passwd(1))."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, MOSQUITTO_ITERATIONS)
    return f"$7${MOSQUITTO_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def make(directory: Path, *, database: str, broker: str, mode: int) -> list[str]:
    """Write the files that are not there yet; their names.

    Raises:
        OSError: the directory cannot be made or written.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    kept = {path.name: path.read_text() for path in directory.iterdir() if path.is_file()}
    made = {name: text for name, text in wanted_files(database, broker, kept=kept).items() if name not in kept}
    for name, text in made.items():
        write_once(directory / name, text + "\n", mode)
    return sorted(made)


def write_once(path: Path, text: str, mode: int) -> None:
    """Write a new file whose mode is right before anything is in it.

    Raises:
        FileExistsError: it is there.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        os.fchmod(descriptor, mode)


def compose_choice(broker: str) -> str:
    """What `.env` tells Compose: which broker runs, and the MQTT version it is spoken to in."""
    return f"COMPOSE_PROFILES={broker}\nMQTT_PROTOCOL={PROTOCOLS[broker]}\n"


def main() -> None:
    """Make the files and say which."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument(
        "directory", nargs="?", type=Path, default=ROOT / "secrets", help="default: secrets beside the compose file"
    )
    asked.add_argument("--broker", choices=sorted(PROTOCOLS), default="nats", help="which broker is to run (default: nats)")
    asked.add_argument("--database-address", default="database:5432", metavar="HOST:PORT", help="default: that of Compose")
    asked.add_argument("--broker-address", metavar="HOST:PORT", help="default: that of Compose")
    asked.add_argument("--private", action="store_true", help="mode 0600, for units of systemd; writes no .env")
    wanted = asked.parse_args()
    address = wanted.broker_address or f"{wanted.broker}:1883"
    try:
        made = make(
            wanted.directory,
            database=f"{wanted.database_address}/keelwing",
            broker=address,
            mode=0o600 if wanted.private else 0o444,
        )
        print(f"{wanted.directory}: {', '.join(made) if made else 'everything was there'}")
        choice = ROOT / ".env"
        if wanted.private:
            return
        if not choice.exists():
            write_once(choice, compose_choice(wanted.broker), 0o644)
            print(f"{choice}: {wanted.broker}")
        elif choice.read_text() != compose_choice(wanted.broker):
            print(f"{choice} is there and stays; for {wanted.broker} it needs:\n{compose_choice(wanted.broker)}", end="")
    except OSError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

"""The worker over TLS with a user and a password, against a broker that lets nobody else in."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.mosquitto import mosquitto_program
from ingest.mqtt import BrokerAddress, Inbox
from keelwing.embedded import process

CONFIGURATION = """\
listener {port} 127.0.0.1
allow_anonymous false
password_file {directory}/passwords
certfile {directory}/certificate.pem
keyfile {directory}/key.pem
persistence false
user root
"""


class Locked:
    """A Mosquitto behind TLS and a password; `authority` is the certificate to trust."""

    def __init__(self, port: int, authority: Path) -> None:
        self.port = port
        self.authority = authority

    def url(self, password: str) -> str:
        return f"mqtts://keelwing:{password}@localhost:{self.port}"


def greets(port: int, authority: Path) -> bool:
    context = ssl.create_default_context(cafile=str(authority))
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as plain, context.wrap_socket(plain, server_hostname="localhost"):
            return True
    except OSError:
        return False


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Locked]:
    program, openssl = mosquitto_program(), shutil.which("openssl")
    if program is None or openssl is None:
        pytest.skip("no Mosquitto, or no openssl to make a certificate with")
    port = process.free_port()
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "certificate.pem")]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run([openssl, "req", "-x509", *curve, *subject, *files], check=True, capture_output=True)
    passwords = [str(Path(program).with_name("mosquitto_passwd")), "-b", "-c", str(tmp_path / "passwords"), "keelwing", "right"]
    passwords[0] = shutil.which("mosquitto_passwd") or passwords[0]
    subprocess.run(passwords, check=True, capture_output=True)
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(CONFIGURATION.format(port=port, directory=tmp_path))
    server = process.spawn([program, "-c", str(configuration)], log_path=tmp_path / "mosquitto.log", cwd=tmp_path, env={})
    try:
        authority = tmp_path / "certificate.pem"
        assert process.wait_until(lambda: greets(port, authority), 10), process.log_tail(tmp_path / "mosquitto.log")
        yield Locked(port, authority)
    finally:
        process.stop(server, [(signal.SIGTERM, 5.0)])


async def subscribed_or_refused(inbox: Inbox) -> bool:
    """True once subscribed, False once refused; fails after 15 s of neither."""
    async with asyncio.timeout(15):
        while not inbox.is_subscribed:
            if inbox.refused is not None:
                return False
            await asyncio.sleep(0.05)
    return True


@pytest.mark.mosquitto
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
@pytest.mark.parametrize(("password", "let_in"), [("right", True), ("wrong", False)])
async def test_tls_with_a_password_lets_in_who_knows_it(locked: Locked, protocol: str, password: str, let_in: bool) -> None:
    address = BrokerAddress(url=locked.url(password), protocol=protocol, ca_file=str(locked.authority))
    inbox = Inbox(address)
    inbox.start()
    try:
        assert await subscribed_or_refused(inbox) is let_in
    finally:
        inbox.stop()


@pytest.mark.mosquitto
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho's refused socket
async def test_a_certificate_nobody_vouches_for_is_not_trusted(locked: Locked) -> None:
    inbox = Inbox(BrokerAddress(url=locked.url("right")))
    inbox.start()
    try:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(subscribed_or_refused(inbox), 3)
    finally:
        inbox.stop()

"""What leaves for an endpoint, how it is signed, and what the guard keeps from leaving."""

import asyncio
import shutil
import ssl
import subprocess
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from alerts.delivery import EXCERPT_CHARS_MAX, Message, Sender, encode_event, key_of, sign
from alerts.guard import Refused, addresses_of, is_public
from alerts.policy import Answer
from fleet.instants import from_datetime, to_datetime, to_rfc3339
from tests.alerts.fix_receiver import SECRET, Receiver
from tests.fleet.fix_vectors import vector

OTHER_SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"

CLOSED_PORT = 1  # tcpmux; nobody serves it

PRIVATE_ADDRESSES = [
    *("127.0.0.1", "127.8.9.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "0.1.2.3"),
    *("100.64.0.1", "100.127.255.254", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.7", "198.18.0.1", "192.0.0.8"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "2001:db8::1", "::7f00:1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::1"),
    *("2001:0:4136:e378:8000:63bf:3fff:fdd2",),
]
PUBLIC_ADDRESSES = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


def now_us() -> int:
    return from_datetime(datetime.now(UTC))


def message(url: str, *secrets: str) -> Message:
    event = {
        "specversion": "1.0",
        "id": "evt_1",
        "source": "/keelwing/acme",
        "type": "keelwing.alert.opened.v1",
        "subject": "asset/1",
        "time": "2026-11-22T07:00:00.25Z",
        "data": {"revision": 1},
    }
    body = encode_event(event, 7)
    return Message(event_id="evt_1", url=url, secrets=secrets or (SECRET,), body=body)


async def answer_to(url: str, *, allow_private: bool = True, timeout_s: float = 5.0) -> Answer:
    async with Sender(allow_private=allow_private, timeout_s=timeout_s) as sender:
        return await sender.send(message(url), now_us())


@pytest.mark.parametrize("name", ["ST1_webhook", "ST2_webhook_own"])
def test_golden_signatures(name: str) -> None:
    golden = vector(name)
    moment = to_datetime(int(golden["timestamp"]) * 1_000_000 + 999_999)
    headers = sign(golden["id"], moment, golden["payload"].encode(), (golden["secret"],))
    assert headers == {
        "webhook-id": golden["id"], "webhook-timestamp": golden["timestamp"], "webhook-signature": golden["signature"]
    }  # fmt: skip


def test_the_golden_attempt_is_made_at_its_instant() -> None:
    assert vector("ST2_epoch") == int(vector("ST2_webhook_own")["timestamp"])
    assert to_rfc3339(vector("ST2_epoch") * 1_000_000) == "2026-11-22T07:00:00Z"


@pytest.mark.parametrize(
    "secret", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_short", "whsec_AAAA", "whsec_" + "A" * 88, "whsec_ä"]
)
def test_a_weak_or_broken_secret_signs_nothing(secret: str) -> None:
    with pytest.raises(ValueError, match="a secret"):
        key_of(secret)


def test_an_id_with_a_dot_is_not_signed() -> None:
    with pytest.raises(ValueError, match="dot"):
        sign("evt.1", to_datetime(0), b"{}", (SECRET,))


async def test_the_receiver_verifies_the_bytes_and_finds_a_cloud_event(receiver: Receiver) -> None:
    answer = await answer_to(receiver.url)
    assert answer == Answer(status_code=200, excerpt="thanks")
    got = receiver.received[0]
    assert got.headers["content-type"] == "application/cloudevents+json"
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert got.body == message(receiver.url).body
    event = JSONFormat().read(CloudEvent, got.body)
    assert (event.get_id(), event.get_source(), event.get_subject()) == ("evt_1", "/keelwing/acme", "asset/1")
    assert (event.get_extension("sequence"), event.get_data()) == (7, {"revision": 1})
    assert event.get_time() == to_datetime(1_795_330_800_250_000)
    assert got.verified()["type"] == "keelwing.alert.opened.v1"


async def test_during_a_rotation_either_secret_verifies(receiver: Receiver) -> None:
    async with Sender(allow_private=True) as sender:
        await sender.send(message(receiver.url, OTHER_SECRET, SECRET), now_us())
    got = receiver.received[0]
    assert got.verified(SECRET) == got.verified(OTHER_SECRET)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "B" * 32).verify(got.body, got.headers)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.headers = status, {"location": f"{receiver.url}/elsewhere"}
    assert (await answer_to(receiver.url)).status_code == status
    assert [one.path for one in receiver.received] == ["/hook"]


async def test_a_long_answer_is_read_to_a_bound(receiver: Receiver) -> None:
    receiver.status, receiver.body = 500, b"\0\xff" + b"x" * 5_000_000
    answer = await answer_to(receiver.url)
    assert answer.status_code == 500
    assert len(answer.excerpt) == EXCERPT_CHARS_MAX
    assert answer.excerpt.startswith("\ufffd\ufffdx")


async def test_retry_after_comes_back_with_the_answer(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 429, {"retry-after": "120"}
    assert (await answer_to(receiver.url)).retry_after == "120"


async def test_a_receiver_that_does_not_answer_is_a_timeout(receiver: Receiver) -> None:
    receiver.answering.clear()
    answer = await answer_to(receiver.url, timeout_s=0.3)
    assert (answer.status_code, answer.error) == (None, "timeout")
    assert len(receiver.received) == 1


async def test_a_closed_port_is_a_failure_to_connect(receiver: Receiver) -> None:
    await receiver.close()
    assert (await answer_to(receiver.url)).error == "connect_failed"


async def test_a_receiver_that_hangs_up_is_broken() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.transport.abort(), "127.0.0.1", 0)
    async with server:
        assert (await answer_to(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")).error == "broken"


@pytest.mark.parametrize(
    "url", ["", "hook", "ftp://example.com/", "http://", "http://[::1", "https://exa mple/", "http://a:99999/"]
)
async def test_a_bad_url_is_a_value(url: str) -> None:
    assert (await answer_to(url)).error in {"url_invalid", "name_unknown"}


HOSTS = st.one_of(
    st.text(max_size=70), st.from_regex(r"[a-z0-9.-]{1,80}", fullmatch=True), st.ip_addresses().map(str), st.just("[::1]")
)


ADDRESSES = st.sampled_from(["127.0.0.1", "fe80::1%lo"])
TLS = ssl.create_default_context()


@settings(max_examples=100)
@given(st.sampled_from(["http", "https", "HTTP", "ftp", ""]), HOSTS, st.text(max_size=30), ADDRESSES)
async def test_any_url_gives_an_answer_and_never_an_exception(scheme: str, host: str, path: str, address: str) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return [address]

    async with Sender(allow_private=True, resolver=resolver, timeout_s=1.0, tls=TLS) as sender:
        answer = await sender.send(message(f"{scheme}://{host}:{CLOSED_PORT}/{path}"), now_us())
    assert answer.error in {"url_invalid", "connect_failed"}


async def test_a_bad_secret_is_a_value(receiver: Receiver) -> None:
    async with Sender(allow_private=True) as sender:
        answer = await sender.send(message(receiver.url, "whsec_short"), now_us())
    assert answer.error == "secret_invalid"
    assert receiver.received == []


# -- the guard ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", PRIVATE_ADDRESSES)
def test_addresses_that_are_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC_ADDRESSES)
def test_addresses_that_are_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_however_loopback_is_written_nothing_reaches_it(receiver: Receiver, host: str) -> None:
    answer = await answer_to(f"https://{host}:{receiver.port}/hook", allow_private=False)
    assert answer.error in {"address_forbidden", "name_unknown"}
    assert receiver.received == []


async def test_plain_http_does_not_leave_for_the_internet(receiver: Receiver) -> None:
    assert (await answer_to(receiver.url, allow_private=False)).error == "scheme_forbidden"


async def test_one_forbidden_address_among_public_ones_refuses_the_name() -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return ["1.1.1.1", "10.0.0.1"]

    refused = await addresses_of("two.example", 443, allow_private=False, resolver=resolver)
    assert isinstance(refused, Refused)
    assert refused.code == "address_forbidden"


async def test_a_name_without_address_is_a_value() -> None:
    async def nobody(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    async def empty(host: str, port: int) -> list[str]:
        return []

    for resolver in (nobody, empty):
        refused = await addresses_of("none.example", 443, allow_private=False, resolver=resolver)
        assert isinstance(refused, Refused)
        assert refused.code == "name_unknown"


async def test_the_connection_goes_to_the_address_that_was_judged(receiver: Receiver) -> None:
    """A name server that answers differently the second time (rebinding) is not asked a second time."""
    answers = [["127.0.0.1"], ["127.0.0.2"]]

    async def rebinding(host: str, port: int) -> list[str]:
        assert host == "rebinding.example"
        return answers.pop(0)

    async with Sender(allow_private=True, resolver=rebinding) as sender:
        answer = await sender.send(message(f"http://rebinding.example:{receiver.port}/hook"), now_us())
    assert answer.status_code == 200
    assert answers == [["127.0.0.2"]]
    assert receiver.received[0].headers["host"] == f"rebinding.example:{receiver.port}"


async def test_the_next_address_is_tried_when_one_does_not_connect(receiver: Receiver) -> None:
    async def two(host: str, port: int) -> list[str]:
        return ["127.0.0.9", "127.0.0.1"]  # the receiver listens on the second alone

    async with Sender(allow_private=True, resolver=two) as sender:
        assert (await sender.send(message(f"http://two.example:{receiver.port}/hook"), now_us())).status_code == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Certificate and key of hooks.example, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    directory = tmp_path_factory.mktemp("tls")
    paths = directory / "certificate.pem", directory / "key.pem"
    wanted = ["-keyout", str(paths[1]), "-out", str(paths[0]), "-subj", "/CN=hooks.example"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run(
        ["openssl", "req", "-x509", *curve, *wanted, "-addext", "subjectAltName=DNS:hooks.example"],
        check=True,
        capture_output=True,
    )
    return paths


async def test_the_certificate_must_be_of_the_name_not_of_the_address(certificate: tuple[Path, Path]) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_tls.load_cert_chain(*certificate)
    secure = Receiver()
    await secure.start(tls=server_tls)
    tls = ssl.create_default_context(cafile=str(certificate[0]))
    try:
        async with Sender(allow_private=True, resolver=resolver, tls=tls) as sender:
            right = await sender.send(message(f"https://hooks.example:{secure.port}/hook"), now_us())
            wrong = await sender.send(message(f"https://other.example:{secure.port}/hook"), now_us())
    finally:
        await secure.close()
    assert right.status_code == 200
    assert wrong.error == "connect_failed"
    assert "hostname" in wrong.excerpt.lower()

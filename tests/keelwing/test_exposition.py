"""The small server of metrics and liveness: what it answers, and that it stands in nobody's way."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from keelwing.exposition import NotExposedError, exposed, while_exposed
from tests.fix_broker import Broker
from tests.fix_stack import wait_for


def test_it_gives_metrics_and_says_whether_the_loop_turns() -> None:
    registry = CollectorRegistry()
    Counter("keelwing_test_things", "Things.", registry=registry).inc(3)
    wells = [True, False]
    with exposed(registry, "127.0.0.1", 0, lambda: wells.pop(0)) as port:
        url = f"http://127.0.0.1:{port}"
        assert "keelwing_test_things_total 3.0" in httpx.get(f"{url}/metrics").text
        assert [httpx.get(f"{url}/healthz").status_code for _ in range(2)] == [200, 503]
        wells.append(True)
        assert httpx.get(f"{url}/other").status_code == 404


async def test_a_port_that_is_taken_is_said_before_any_work_begins() -> None:
    began = False

    async def work() -> None:
        nonlocal began
        began = True

    with exposed(CollectorRegistry(), "127.0.0.1", 0, lambda: True) as port:
        with pytest.raises(NotExposedError, match=f"port {port}"):
            await while_exposed(work(), CollectorRegistry(), "127.0.0.1", port)
        assert not began
        await asyncio.wait_for(while_exposed(work(), CollectorRegistry(), "127.0.0.1", None), 5)
    assert began


@pytest.mark.parametrize("command", ["worker", "notifier"])
def test_the_commands_open_the_port_they_are_told(command: str, database_url: str, nats_broker: Broker, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "KEELWING_DATABASE_URL": database_url,
        "KEELWING_MQTT_URL": nats_broker.url,
        "KEELWING_MQTT_CLIENT_ID": f"metrics-{secrets.token_hex(4)}",
        "KEELWING_DATA_DIR": str(tmp_path),
        f"KEELWING_{command.upper()}_METRICS_PORT": "0",
    }
    log_path = tmp_path / "process.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "keelwing.cli", command], env=environment, stdout=log, stderr=log)
    try:

        def said() -> list[int]:
            lines = [json.loads(line) for line in log_path.read_text().splitlines() if line.startswith("{")]
            return [line["port"] for line in lines if line["event"] == "metrics.exposed"]

        (port,) = wait_for("the port is in the log", said)
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
        families = list(text_string_to_metric_families(httpx.get(f"http://127.0.0.1:{port}/metrics").text))
        assert {one.name.split("_")[1] for one in families if one.name.startswith("keelwing_")} == {command}
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, log_path.read_text()[-2000:]

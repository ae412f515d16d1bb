from __future__ import annotations

import pytest

from tests.behaviour.mosquitto.brokers import Mosquitto


@pytest.fixture
def mosquitto(tmp_path):
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()

"""What we assume of Mosquitto 2 and aiomqtt 2.5: each assumption of ``agents/mqtt``, alone."""

from __future__ import annotations

import asyncio
import socket

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

NODELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
TOPIC = "t/presence"


def will():
    properties = Properties(PacketTypes.WILLMESSAGE)
    properties.WillDelayInterval = 0
    return aiomqtt.Will(TOPIC, b"will", qos=1, retain=True, properties=properties)


async def next_of(client):
    async with asyncio.timeout(5):
        return await anext(client.messages)


async def test_a_retained_message_is_given_at_every_subscription(mosquitto):
    async with mosquitto.client() as client:
        await client.publish(TOPIC, b"state", qos=1, retain=True)
        for _ in range(2):
            await client.subscribe(TOPIC, qos=1)
            message = await next_of(client)
            assert (message.payload, message.retain) == (b"state", True)


async def test_an_empty_retained_message_clears_it_and_arrives_empty(mosquitto):
    async with mosquitto.client() as client:
        await client.publish(TOPIC, b"state", qos=1, retain=True)
        await client.subscribe(TOPIC, qos=1)
        await next_of(client)
        await client.publish(TOPIC, b"", qos=1, retain=True)
        assert (await next_of(client)).payload == b""


async def test_a_clean_disconnect_publishes_no_will(mosquitto):
    async with mosquitto.client() as watcher:
        await watcher.subscribe(TOPIC, qos=1)
        async with mosquitto.client(will=will()) as client:
            await client.publish(TOPIC, b"here", qos=1)
        async with mosquitto.client() as marker:
            await marker.publish(TOPIC, b"after", qos=1)
        assert [(await next_of(watcher)).payload for _ in range(2)] == [b"here", b"after"]


async def test_the_same_name_again_ends_the_old_connection_and_its_will_comes_first(mosquitto):
    async with mosquitto.client() as watcher:
        await watcher.subscribe(TOPIC, qos=1)
        old = mosquitto.client(identifier="agent", will=will(), timeout=1)
        await old.__aenter__()
        async with mosquitto.client(identifier="agent", will=will()) as new:
            await new.publish(TOPIC, b"here again", qos=1, retain=True)
            said = [(await next_of(watcher)).payload for _ in range(2)]
            assert said == [b"will", b"here again"]
            with pytest.raises(aiomqtt.MqttError):
                await next_of(old)


async def test_an_unconfirmed_publish_is_an_error_after_the_timeout(mosquitto):
    async def swallow(reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", mosquitto.port)
        back.write(await reader.read(4096))  # CONNECT, and nothing after it
        writer.write(await there.read(4096))
        await reader.read(-1)
        back.close()
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    v5 = aiomqtt.ProtocolVersion.V5
    loop = asyncio.get_running_loop()
    async with server, aiomqtt.Client("127.0.0.1", port, protocol=v5, timeout=0.2) as client:
        began = loop.time()
        with pytest.raises(aiomqtt.MqttError):
            await client.publish(TOPIC, b"x", qos=1)
        assert 0.15 < loop.time() - began < 1.0


async def test_leaving_a_silent_connection_takes_no_time(mosquitto):
    """DISCONNECT is written, not answered; else a reconnect would wait for the timeout."""
    server = await asyncio.start_server(_connack_and_silence, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    v5 = aiomqtt.ProtocolVersion.V5
    loop = asyncio.get_running_loop()
    async with server:
        async with aiomqtt.Client("127.0.0.1", port, protocol=v5, timeout=5):
            began = loop.time()
        assert loop.time() - began < 0.5


async def _connack_and_silence(reader, writer):
    await reader.read(4096)
    writer.write(bytes([0x20, 3, 0, 0, 0]))  # CONNACK, no session, success, no properties
    await reader.read(-1)
    writer.close()


async def test_many_publishes_may_wait_for_their_confirmation_at_once(mosquitto):
    async with mosquitto.client() as client:
        client.pending_calls_threshold = 1000
        await client.subscribe(TOPIC, qos=1)
        async with asyncio.TaskGroup() as group:
            for number in range(100):
                publish = client.publish(TOPIC, str(number), qos=1)
                group.create_task(publish, name=f"publish {number}")
        got = [int((await next_of(client)).payload) for _ in range(100)]
        assert got == list(range(100))


async def test_with_nodelay_at_both_ends_an_answer_takes_milliseconds(mosquitto):
    loop = asyncio.get_running_loop()
    async with mosquitto.client(socket_options=[NODELAY]) as client:
        await client.subscribe(TOPIC, qos=1)
        times = []
        for _ in range(9):
            began = loop.time()
            await client.publish(TOPIC, b"x", qos=1)
            await next_of(client)
            times.append(loop.time() - began)
    assert sorted(times)[4] < 0.02

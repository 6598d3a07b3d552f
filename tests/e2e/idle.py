#!/usr/bin/env python3
"""Measures the cost of idle sessions: half of them lacquer.v1, half Socket.IO over WebSocket.

    .deps/venv/bin/python tests/e2e/idle.py [--sessions 200] [--seconds 30] [--fresh]

Each session first sends one frame, like a user who then puts the camera away (--fresh: none), and
the server releases the memory for it. Memory is the increase of RSS over the server without
sessions; processor time is that of the server's process relative to wall clock. Both hardly depend
on other load.
"""
import argparse
import asyncio
import os
import pathlib
import time

from websockets.asyncio.client import connect

from conftest import HANDS, Server, frame

REST_S = 7  # buffers are released after 5 s, which is checked once a second
PICTURE = (HANDS / "light.jpg").read_bytes()


def cpu_s(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def open_socket(server, path, **kwargs):
    return connect(f"ws://127.0.0.1:{server.port}{path}", max_size=None, compression=None,
                   ping_interval=None, open_timeout=60, **kwargs)


async def lacquer_v1(server, picture):
    ws = await open_socket(server, "/ws", subprotocols=["lacquer.v1"])
    assert '"hello"' in await ws.recv()
    if picture:
        await ws.send(frame(1, picture))
        assert isinstance(await ws.recv(), bytes)
    return ws


async def socketio(server, picture):
    ws = await open_socket(server, "/socket.io/?EIO=4&transport=websocket")
    assert (await ws.recv()).startswith("0{")
    await ws.send("40")
    assert (await ws.recv()).startswith("40{")
    assert "connected" in await ws.recv()
    if picture:
        await ws.send('451-["frame",{"_placeholder":true,"num":0}]')
        await ws.send(picture)
        assert '"result"' in await ws.recv()
        assert isinstance(await ws.recv(), bytes)
    return ws


async def answer_pings(sockets):
    """Answers Engine.IO's pings; the library answers those of WebSocket."""
    async def one(ws):
        async for message in ws:
            if message == "2":
                await ws.send("3")
    await asyncio.gather(*(one(ws) for ws in sockets))


async def crowd(server, sessions, seconds, picture):
    """(KiB of RSS before, KiB with all idle, processor seconds of `seconds`)."""
    before = server.rss_kib()
    sockets = []
    for i in range(sessions):  # one after the other: this measures idle sessions, not load
        sockets.append(await (socketio if i % 2 else lacquer_v1)(server, picture))
    awake = asyncio.create_task(answer_pings(sockets))
    await asyncio.sleep(REST_S)
    used = cpu_s(server)
    began = time.monotonic()
    await asyncio.sleep(seconds)
    share = (cpu_s(server) - used) / (time.monotonic() - began)
    after = server.rss_kib()
    via = [server.metric(f'lacquer_sessions{{transport="{name}"}}')
           for name in ("lacquer.v1", "socketio")]
    assert sum(via) == sessions and not awake.done(), via
    awake.cancel()
    await asyncio.gather(*(ws.close() for ws in sockets))
    return before, after, share


def measure(sessions, seconds, fresh=False):
    """Runs the measurement; returns (MiB of the sessions, share of one core)."""
    server = Server("--log-level", "warn", "--max-wait", "60000")
    try:
        with server.v1() as ws:  # so that the workers' buffers do not count as a session's
            for number in range(1, 9):
                ws.send(frame(number, PICTURE))
                ws.recv(timeout=30)
        time.sleep(REST_S)
        before, after, share = asyncio.run(crowd(server, sessions, seconds,
                                                 None if fresh else PICTURE))
    finally:
        server.stop()
    return (after - before) / 1024, share


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--fresh", action="store_true", help="no frame was ever sent")
    asked = parser.parse_args()
    mib, share = measure(asked.sessions, asked.seconds, asked.fresh)
    print(f"{asked.sessions} idle sessions: {mib:.1f} MiB, {share * 100:.2f} % of one core "
          f"over {asked.seconds:.0f} s")


if __name__ == "__main__":
    main()

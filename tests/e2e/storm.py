#!/usr/bin/env python3
"""Measures live users while a thousand connections a second open and close (bench/storm.c).

A third of the connections send nothing, a third do a TLS handshake, a third open a WebSocket.

    .deps/venv/bin/python tests/e2e/storm.py [--rate 1000] [--users 4] [--seconds 8] [--rounds 4]

Quiet and storm alternate in one run, so that other load affects both equally. Each user sends a
frame every 125 ms (lacquer.v1, over TLS) and waits for its reply; these times are compared. The
storm runs on the same cores, at the lowest priority, so part of the users' delay is caused by the
storm itself and not by the server. With --idle it connects to a listener that is not the server's
and does nothing, which shows how large this part is.
"""
import argparse
import contextlib
import json
import os
import pathlib
import socket
import ssl
import subprocess
import threading
import time

from conftest import HANDS, ROOT, Server, frame

STORM = ROOT / "build" / "bench" / "bench-storm"


class User(threading.Thread):
    """A live session that sends a frame every 125 ms, or when the previous one has its reply."""

    EVERY_S = .125

    def __init__(self, server, picture, address):
        super().__init__(daemon=True)
        self.server, self.picture, self.address = server, picture, address
        self.took, self.refused, self.done = [], 0, threading.Event()

    def run(self):
        extra = {}
        if self.server.scheme == "https":
            extra["ssl"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            extra["ssl"].check_hostname = False
            extra["ssl"].verify_mode = ssl.CERT_NONE
        number = 0
        with self.server.v1(source_address=(self.address, 0), **extra) as ws:
            while not self.done.is_set():
                number += 1
                began = time.monotonic()
                ws.send(frame(number, self.picture))
                reply = ws.recv(timeout=60)
                now = time.monotonic()
                if isinstance(reply, bytes):
                    self.took.append((began, now - began))
                else:
                    self.refused += 1
                time.sleep(max(0, self.EVERY_S - (now - began)))

    def stop(self):
        self.done.set()
        self.join(60)


@contextlib.contextmanager
def users_at(server, count):
    picture = (HANDS / "light.jpg").read_bytes()
    users = [User(server, picture, f"127.0.0.{2 + i}") for i in range(count)]
    for user in users:
        user.start()
    try:
        yield users
    finally:
        for user in users:
            user.stop()


def storm(port, rate, seconds, kinds, nice=19):
    """bench-storm's output: for each kind, how many connections succeeded and how many failed."""
    command = ["nice", "-n", str(nice), STORM, str(port), str(rate), str(seconds), kinds]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True,
                         timeout=seconds + 60)
    return json.loads(ran.stdout)


def cpu_s(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cost_of_each(server, rate, kinds):
    """Processor time of the server for one connection of each kind, without users."""
    for kind in kinds:
        used = cpu_s(server)
        counts = storm(server.port, rate, 4, kind)[kind]
        yield kind, (cpu_s(server) - used) / max(1, sum(counts)) * 1e3


def percentiles(took):
    took = sorted(took)
    at = [took[min(len(took) - 1, int(len(took) * share))] * 1e3 for share in (.5, .95, .99)]
    return "p50 %6.1f  p95 %6.1f  p99 %6.1f ms" % tuple(at)


def compare(server, options):
    kinds = "cw" if options.plain else "cts"
    took, done = {"quiet": [], "storm": []}, {}
    with contextlib.ExitStack() as stack:
        port = server.port
        if options.idle:
            idle = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=4096))
            threading.Thread(target=accept_all, args=(idle,), daemon=True).start()
            port, kinds = idle.getsockname()[1], "c"
        users = stack.enter_context(users_at(server, options.users))
        time.sleep(3)
        for _ in range(options.rounds):
            for part in took:
                began = time.monotonic()
                if part == "storm":
                    for kind, counts in storm(port, options.rate, options.seconds, kinds).items():
                        if kind != "seconds":
                            done[kind] = [a + b for a, b in zip(done.get(kind, [0, 0]), counts)]
                else:
                    time.sleep(options.seconds)
                ended = time.monotonic()
                took[part] += [each for user in users for at, each in list(user.took)
                               if began <= at < ended - .2]
                time.sleep(1)
    return took, done, sum(user.refused for user in users)


def accept_all(listener):
    with contextlib.suppress(OSError):
        while True:
            listener.accept()[0].close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--users", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--plain", action="store_true", help="no TLS: connects and WebSockets")
    parser.add_argument("--idle", action="store_true", help="the storm goes elsewhere")
    parser.add_argument("--server-args", default="", help="more for lacquer serve")
    options = parser.parse_args()
    server = Server("--log-level", "error", "--max-wait", "60000", *options.server_args.split(),
                    *([] if options.plain else ["--tls-self-signed"]))
    try:
        report(server, options)
        print(server.stop()[1], end="")
    finally:
        server.kill()


def report(server, options):
    took, done, refused = compare(server, options)
    for part, each in took.items():
        print(f"{part}  {len(each):5} replies  {percentiles(each)}")
    print(f"storm: {options.rounds * options.seconds} s at {options.rate} a second; done, failed: "
          f"{done}; users' frames refused: {refused}", flush=True)
    kinds = "cw" if options.plain else "cts"
    cost = ", ".join(f"{kind} {ms:.2f} ms"
                     for kind, ms in cost_of_each(server, options.rate, kinds))
    print(f"the server's processor time for one: {cost}")


if __name__ == "__main__":
    main()

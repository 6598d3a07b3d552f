#!/usr/bin/env python3
"""The usual stack, for comparison: Flask and Flask-SocketIO around nails.py, served by gunicorn.

One worker process, as one model and one Socket.IO server in memory ask for, with threads.

  app.py --model M.tflite --port N [--threads N] [--score 0.25] [--limit 32]

POST /process_base64   {"image": data URL, "color", "texture"} -> {"success", "image", "nails"}
Socket.IO event frame  {"image": bytes, "color", "texture", "id"} -> event result, to its sender
"""
import argparse
import base64
import binascii

from flask import Flask, jsonify, request
from flask_socketio import SocketIO, emit
from gunicorn.app.base import BaseApplication

from nails import Painter, detector

app = Flask(__name__)
socketio = SocketIO(app, async_mode="threading", max_http_buffer_size=4 << 20)
painter = None


def look(fields):
    return {"color": fields.get("color", "#c71585"), "texture": float(fields.get("texture", 0.5))}


@app.get("/healthz")
def healthz():
    return "ok"


@app.post("/process_base64")
def process_base64():
    fields = request.get_json()
    try:
        jpeg = base64.b64decode(fields["image"].rpartition(",")[2], validate=True)
        reply, nails, ms = painter.run(jpeg, **look(fields))
    except (KeyError, ValueError, binascii.Error) as error:
        return jsonify(success=False, error=str(error)), 400
    image = "data:image/jpeg;base64," + base64.b64encode(reply).decode("ascii")
    return jsonify(success=True, image=image, nails=nails, ms=round(ms, 1))


@socketio.on("frame")
def frame(fields):
    try:
        reply, nails, ms = painter.run(fields["image"], **look(fields))
    except (KeyError, ValueError) as error:
        emit("error", {"error": str(error), "id": fields.get("id")})
        return
    emit("result", {"image": reply, "id": fields.get("id"), "nails": nails, "ms": round(ms, 1)})


class Server(BaseApplication):
    def __init__(self, chosen):
        self.chosen = chosen
        super().__init__()

    def load_config(self):
        for name, value in {"bind": f"127.0.0.1:{self.chosen.port}", "workers": 1,
                            "worker_class": "gthread", "threads": 16, "loglevel": "error",
                            "control_socket_disable": True}.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self):
        """Runs in the worker, because an interpreter's threads do not survive a fork."""
        global painter
        chosen = self.chosen
        painter = Painter(detector(chosen.model, chosen.threads, chosen.score, chosen.limit))
        return app


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--model", required=True)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--threads", type=int, default=0)
    options.add_argument("--score", type=float, default=0.25)
    options.add_argument("--limit", type=int, default=32)
    chosen = options.parse_args()
    Server(chosen).run()


if __name__ == "__main__":
    main()

"""A server of the KServe v2 protocol that only supports JSON, like MLServer."""
import contextlib
import http.server
import json
import re
import socket
import ssl
import threading

import numpy as np


class KServeStub:
    """One mask model, "nails": white where the picture's red has its maximum."""

    def __init__(self, prefix="", family=socket.AF_INET, certificate=None):
        self.type, self.answer_type = "FP32", "FP32"
        self.nested, self.binary, self.wrong_id = True, False, False
        self.parameters = {}
        self.heads, self.ids, self.pictures = [], [], []
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.answer(None)

            def do_POST(self):
                self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def answer(self, body):
                stub.heads.append((self.command, self.path, dict(self.headers)))
                inside = self.path.startswith(prefix + "/v2")
                status, said = stub.say(self.path[len(prefix):], body) if inside else (404, {})
                text = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, address_family = True, family

            def handle_error(self, *_):
                pass  # clients disconnect after a response that they reject

        host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        self.server = Server((host, 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        host = f"[{host}]" if ":" in host else host
        self.address = f"{host}:{self.port}{prefix}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def say(self, path, body):
        if path == "/v2":
            return 200, {"name": "stub", "version": "1", "extensions": []}
        if path == "/v2/repository/index" and body is not None:
            return 200, [{"name": "nails", "version": "v1", "state": "READY", "reason": ""}]
        if path in ("/v2/health/ready", "/v2/models/nails/ready"):
            return 200, {}
        if path == "/v2/models/nails":
            return 200, {
                "name": "nails", "versions": [], "platform": "", "parameters": self.parameters,
                "inputs": [{"name": "image", "datatype": self.type, "shape": [-1, 3, 96, 128],
                            "parameters": None}],
                "outputs": [{"name": "mask", "datatype": self.answer_type,
                             "shape": [-1, 1, 96, 128],
                             "parameters": None}]}
        if path == "/v2/models/nails/infer" and body is not None:
            return self.infer(body)
        return 404, {"error": f"nothing at {path}"}

    def infer(self, body):
        try:
            asked = json.loads(body)
        except ValueError:
            return 422, {"detail": "the body is no JSON"}
        (sent,) = asked["inputs"]
        assert sent["datatype"] == self.type and [each["name"]
                                                  for each in asked["outputs"]] == ["mask"]
        picture = np.array(sent["data"]).reshape(sent["shape"])
        self.pictures.append(picture)
        assert re.fullmatch("[0-9a-f]{16}", asked["id"])
        self.ids.append(asked["id"])
        mask = self.mask_of(picture / (255 if self.type == "UINT8" else 1))
        data = mask.tolist() if self.nested else mask.ravel().tolist()
        return 200, {"model_name": "nails", "id": "f" * 16 if self.wrong_id else asked["id"],
                     "parameters": {"note": "\"data\": ["},
                     "outputs": [{"name": "mask", "shape": list(mask.shape), "data": data,
                                  "datatype": self.answer_type, "parameters": None}]}

    @staticmethod
    def mask_of(picture):
        """White where a picture is red and has little of the other colours."""
        red = (picture[:, :1] > 0.6) & (picture[:, 1:2] < 0.3) & (picture[:, 2:] < 0.3)
        return red.astype(np.float64)


@contextlib.contextmanager
def kserve(**how):
    running = KServeStub(**how)
    try:
        yield running
    finally:
        running.stop()

"""A line to the stack that can be cut for real: a TCP proxy that loses what it should."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

ALWAYS = 50


class Cutter:
    """A TCP proxy; each connection carries one request.

    What `cut` says happens to the next requests; all others are answered.

    - `"lost"`: the request is carried out, and the connection is closed instead of the reply.
    - `"reset"`: the same, with a reset.
    - `"torn"`: half of the reply arrives.
    - `"dropped"`: the request is not even forwarded.
    - `"late"`: the connection is closed, and the request is carried out when `release` is called.
    - `"silent"`: the request is carried out, and never answered until `hang_up` is called.
    """

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._plan: list[str] = []
        self._method = b""
        self._lock = threading.Lock()
        self._held: list[bytes] = []
        self._silent: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.requests = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._start(self._accept, self._listener)

    def cut(self, how: str, times: int = 1, after: int = 0, method: str = "") -> None:
        """Let this happen to so many requests with a method, once so many were answered."""
        self._plan = ["answered"] * after + [how] * times
        self._method = method.encode()
        self.requests = 0

    def mend(self) -> None:
        self._plan = []

    def release(self) -> None:
        for request in self._held:
            self._carry_out(request)
        self._held.clear()

    def hang_up(self) -> None:
        for client in self._silent:
            client.close()
        self._silent.clear()

    def go_down(self) -> None:
        """Refuse connections until `come_up`."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def come_up(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._start(self._accept, self._listener)

    def close(self) -> None:
        self.go_down()
        self.hang_up()
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._start(self._serve, listener.accept()[0])

    def _serve(self, client: socket.socket) -> None:
        request = self._receive(client)
        if not request:
            client.close()
            return
        with self._lock:
            how = "answered"
            if self._plan and request.startswith(self._method):
                how = self._plan.pop(0)
            self.requests += 1
        if how == "late":
            self._held.append(request)
        reply = b"" if how in ("late", "dropped") else self._carry_out(request)
        if how == "silent":
            self._silent.append(client)
            return
        if how == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            client.sendall({"answered": reply, "torn": reply[: len(reply) // 2]}.get(how, b""))
        client.close()

    def _receive(self, client: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = client.recv(65536)
            if not chunk:
                return b""
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        lines = [
            line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")
        ]
        lengths = [int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")]
        while len(body) < sum(lengths):
            body += client.recv(65536)
        return b"\r\n".join([*lines, b"Connection: close", b"", body])

    def _carry_out(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self._upstream)) as server:
            server.sendall(request)
            return b"".join(iter(lambda: server.recv(65536), b""))

"""Helpers of front_test.py: starting front_app, raw sockets, a strict reader of replies."""
import json
import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
import time

FULL = os.environ.get("FULL") == "1"
BINARY = sys.argv[1]
TESTS = []
WAIT_S = 60  # a hang is a failure; nothing here measures speed by it


def test(function):
    TESTS.append(function)
    return function


class App:
    """One front_app process on a free port."""

    def __init__(self, binary, *options, files=None):
        def limit():
            if files:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

        self.process = subprocess.Popen(
            [binary, "--config-dir=", "--gateway-port=0", *options], stdout=subprocess.PIPE, preexec_fn=limit
        )
        self.port = int(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        if kind is not None:
            self.process.kill()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            for _ in range(WAIT_S * 10):
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
            else:
                self.process.kill()
                raise AssertionError("front_app did not drain")
        if kind is None:
            assert self.process.returncode == 0, f"front_app ended with {self.process.returncode}"

    def connect(self, **options):
        return Client(self.port, **options)

    def ask(self, path="/size"):
        with self.connect() as client:
            client.send(f"GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            return client.reply().json()

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
        raise AssertionError("no VmRSS")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def until(self, what, timeout_s=WAIT_S):
        """Asks /size until `what(answer)` holds; returns the seconds it took."""
        start = time.monotonic()
        while time.monotonic() - start < timeout_s:
            answer = self.ask()
            if what(answer):
                return time.monotonic() - start
            time.sleep(0.01)
        raise AssertionError(f"still {answer}")


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Client:
    """One connection. `reply` reads exactly one reply and refuses framing that a strict client would."""

    def __init__(self, port, receive_bytes=None, tls=None):
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(WAIT_S)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.rest = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Close with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def more(self):
        try:
            data = self.socket.recv(1 << 16)
        except (ConnectionResetError, ssl.SSLEOFError):
            data = b""
        self.rest += data
        return len(data) > 0

    def need(self, count):
        while len(self.rest) < count:
            if not self.more():
                raise EOFError(f"{len(self.rest)} of {count} bytes")
        data = bytes(self.rest[:count])
        del self.rest[:count]
        return data

    def line(self):
        while b"\r\n" not in self.rest:
            if not self.more():
                raise EOFError("no whole line")
        end = self.rest.index(b"\r\n")
        return self.need(end + 2)[:-2].decode("latin-1")

    def head(self):
        version, status, _ = self.line().split(" ", 2)
        assert version == "HTTP/1.1", version
        headers = {}
        while line := self.line():
            name, value = line.split(": ", 1)
            assert name.lower() not in headers or name.lower() == "vary", f"{name} twice"
            headers[name.lower()] = value
        return int(status), headers

    def chunk(self):
        size = int(self.line(), 16)
        data = self.need(size)
        assert self.need(2) == b"\r\n"
        return data

    def reply(self, head_only=False):
        status, headers = self.head()
        body = b""
        pieces = []
        if head_only or status in (100, 204, 304):
            pass
        elif headers.get("transfer-encoding") == "chunked":
            assert "content-length" not in headers
            while data := self.chunk():
                pieces.append(data)
            body = b"".join(pieces)
        elif "content-length" in headers:
            body = self.need(int(headers["content-length"]))
        else:
            while self.more():
                pass
            body = self.need(len(self.rest))
        return Reply(status, headers, body)

    def ended(self):
        """The server closed and sent nothing more."""
        while self.more():
            pass
        return not self.rest


def post(path, body, headers="", host="t"):
    return f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def get(path, headers=""):
    return f"GET {path} HTTP/1.1\r\nHost: t\r\n{headers}\r\n".encode()


def chunked(body, size):
    pieces = []
    for at in range(0, len(body), size):
        piece = body[at : at + size]
        pieces.append(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    return b"".join(pieces) + b"0\r\n\r\n"

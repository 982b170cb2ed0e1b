"""HTTP as a test needs it: a request and its reply, raw bytes on a connection, a stream event by event. Standard library only.

Values here are plain and may go to any thread; a Wire and an Events belong to one. Every wait ends after WAIT_S.
"""
import dataclasses
import hashlib
import http.client
import json
import socket
import time
import urllib.parse

WAIT_S = 60  # for anything that must happen: no test waits for a fixed time


@dataclasses.dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        """The error object, in OpenAI's, Anthropic's or the admin API's shape; {} if this is none."""
        try:
            value = self.json
        except ValueError:
            return {}
        if not isinstance(value, dict):
            return {}
        return value.get("error") or value.get("data") or {}

    @property
    def message(self):
        return self.error.get("message", "") if isinstance(self.error, dict) else ""

    def __str__(self):
        return f"{self.status} {self.body[:400]!r}"


def encode(body, headers):
    """Bytes of a body and its headers: dict and list are JSON, bytes and None stay."""
    headers = dict(headers or {})
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
        if "content-type" not in {name.lower() for name in headers}:
            headers["content-type"] = "application/json"
    return body, headers


def request(url, method="GET", body=None, headers=None, timeout=WAIT_S):
    """One request on a connection of its own."""
    parts = urllib.parse.urlsplit(url)
    body, headers = encode(body, headers)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
        reply = connection.getresponse()
        return Reply(reply.status, reply.headers, reply.read())
    finally:
        connection.close()


def multipart(fields, files=()):
    """(body, content type) of a form: fields as (name, value), files as (name, file name, bytes)."""
    edge = "sluice-e2e-" + hashlib.sha256(repr(fields).encode()).hexdigest()[:16]
    out = b""
    for name, value in fields:
        out += f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for name, file_name, data in files:
        out += (f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n").encode() + data + b"\r\n"
    return out + f"--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}"


class Wire:
    """A raw connection: bytes out, bytes in, and how it ended."""

    def __init__(self, port, host="127.0.0.1", timeout=WAIT_S, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect((host, port))
        self.got = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def head(self, method, target, headers):
        self.send("".join([f"{method} {target} HTTP/1.1\r\nHost: e2e\r\n",
                           *(f"{name}: {value}\r\n" for name, value in headers.items()), "\r\n"]).encode())

    def read(self):
        """More bytes, b"" at the end; appended to self.got."""
        part = self.socket.recv(65536)
        self.got += part
        return part

    def read_until(self, mark):
        """All bytes so far, once `mark` is among them; AssertionError if the connection ends first."""
        while mark not in self.got:
            if not self.read():
                raise AssertionError(f"ended without {mark!r}: {self.got[-400:]!r}")
        return self.got

    def read_to_end(self):
        """All bytes and "fin" or "reset"."""
        try:
            while self.read():
                pass
            return self.got, "fin"
        except ConnectionResetError:
            return self.got, "reset"

    def read_reply(self):
        """One complete reply with Content-Length or chunks; what follows stays in self.got."""
        head = self.read_until(b"\r\n\r\n").split(b"\r\n\r\n", 1)[0]
        status = int(head.split(b" ", 2)[1])
        headers = http.client.HTTPMessage()
        for line in head.split(b"\r\n")[1:]:
            name, value = line.decode("latin-1").split(":", 1)
            headers[name] = value.strip()
        self.got = self.got[len(head) + 4:]
        body = b""
        if status >= 200 and headers.get("transfer-encoding", "").lower() == "chunked":
            while True:
                size = int(self.read_until(b"\r\n").split(b"\r\n", 1)[0].split(b";")[0], 16)
                at = self.got.index(b"\r\n") + 2
                while len(self.got) < at + size + 2:
                    if not self.read():
                        raise AssertionError("ended inside a chunk")
                body += self.got[at:at + size]
                self.got = self.got[at + size + 2:]
                if size == 0:
                    break
        elif status >= 200:
            length = int(headers.get("content-length", "0"))
            while len(self.got) < length:
                if not self.read():
                    raise AssertionError("ended inside the body")
            body, self.got = self.got[:length], self.got[length:]
        return Reply(status, headers, body)


class Events:
    """A streamed reply, event by event, as it arrives: iterate for (seconds since the request, data)."""

    def __init__(self, url, body, headers, timeout=WAIT_S):
        parts = urllib.parse.urlsplit(url)
        body, headers = encode(body, headers)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
        self.started = time.monotonic()
        self.connection.request("POST", parts.path, body, headers)
        self.reply = self.connection.getresponse()
        self.status, self.headers = self.reply.status, self.reply.headers
        self.rest = b""
        self.ended = None  # "fin" after a complete reply, "broken" if it broke off

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Hangs up, as a client does that goes away."""
        if self.connection.sock is not None:
            self.connection.sock.close()
        self.reply.close()
        self.connection.close()

    def __iter__(self):
        while True:
            try:
                part = self.reply.read1(65536)
            except (http.client.IncompleteRead, ConnectionError, ValueError):
                self.ended = "broken"
                return
            if not part:
                self.ended = "fin" if self.reply.isclosed() else "broken"
                return
            self.rest += part
            while b"\n\n" in self.rest:
                event, self.rest = self.rest.split(b"\n\n", 1)
                lines = [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")]
                if lines:
                    yield time.monotonic() - self.started, b"\n".join(lines).decode()


def chat_text(events):
    """The text of a streamed chat, from the data of its events."""
    chunks = [json.loads(data) for data in events if data != "[DONE]"]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk.get("choices", []))

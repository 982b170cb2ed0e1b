"""At the edges of the front: proxies in front of it, browsers, TLS."""
import gzip
import os
import random
import socket
import ssl
import struct
import subprocess
import tempfile
import time

from front_client import BINARY, App, get, post, test


@test
def forwarded_addresses_are_believed_from_trusted_proxies_only():
    rows = (
        ("", "203.0.113.9", "127.0.0.1"),
        ("127.0.0.0/8", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.0/8", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("127.0.0.0/8,198.51.100.0/24", "203.0.113.9, 198.51.100.7", "203.0.113.9"),
        ("127.0.0.0/8,198.51.100.0/24", "1.2.3.4, 203.0.113.9, 198.51.100.7", "203.0.113.9"),
        ("127.0.0.0/8", "203.0.113.9, unknown", "127.0.0.1"),
        ("127.0.0.0/8", "203.0.113.9:4711", "203.0.113.9"),
        ("127.0.0.0/8", "2001:db8::1", "2001:db8::1"),
        ("127.0.0.0/8", "[2001:db8::1]:80", "2001:db8::1"),
        ("127.0.0.0/8", "", "127.0.0.1"),
    )
    for trusted, value, peer in rows:
        with App(BINARY, f"--trusted-proxies={trusted}") as app, app.connect() as client:
            client.send(get("/size", f"X-Forwarded-For: {value}\r\n"))
            assert client.reply().json()["peer"] == peer, (trusted, value)


def proxy_v2(command, family, data):
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", command, family, len(data)) + data


@test
def proxy_protocol_v2():
    tcp4 = socket.inet_aton("203.0.113.9") + socket.inet_aton("127.0.0.1") + b"\x12\x34\x22\x53"
    tcp6 = socket.inet_pton(socket.AF_INET6, "2001:db8::9") + bytes(15) + b"\1" + b"\x12\x34\x22\x53"
    with App(BINARY, "--proxy-protocol", "--trusted-proxies=127.0.0.1") as app:
        for header, peer in (
            (proxy_v2(0x21, 0x11, tcp4), "203.0.113.9"),
            (proxy_v2(0x21, 0x21, tcp6), "2001:db8::9"),
            (proxy_v2(0x21, 0x11, tcp4 + b"\4\0\3abc"), "203.0.113.9"),
            (proxy_v2(0x20, 0x00, b""), "127.0.0.1"),
        ):
            for cut in (0, 5, 13, 16, 20, len(header)):
                with app.connect() as client:
                    client.send(header[:cut])
                    if cut:
                        time.sleep(0.02)
                    client.send(header[cut:] + get("/size"))
                    assert client.reply().json()["peer"] == peer
        for bad in (
            get("/size"),
            proxy_v2(0x22, 0x11, tcp4) + get("/size"),
            proxy_v2(0x31, 0x11, tcp4) + get("/size"),
            proxy_v2(0x21, 0x11, tcp4[:8]) + get("/size"),
            proxy_v2(0x21, 0x11, tcp4 + bytes(2000)) + get("/size"),
            b"PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\n" + get("/size"),
        ):
            with app.connect() as client:
                client.send(bad)
                assert client.ended(), bad
    with App(BINARY, "--proxy-protocol", "--trusted-proxies=10.0.0.1") as app, app.connect() as client:
        client.send(proxy_v2(0x21, 0x11, tcp4) + get("/size"))
        assert client.reply().status == 400


@test
def cors():
    with App(BINARY, "--cors-origins=https://a.example, https://b.example") as app:
        preflight = (
            "OPTIONS /v1/chat HTTP/1.1\r\nHost: t\r\nOrigin: {}\r\nAccess-Control-Request-Method: POST\r\n"
            "Access-Control-Request-Headers: authorization,x-portkey-config\r\n\r\n"
        )
        with app.connect() as client:
            client.send(preflight.format("https://b.example"))
            reply = client.reply()
            assert reply.status == 204
            assert reply.headers["access-control-allow-origin"] == "https://b.example"
            assert reply.headers["access-control-allow-headers"] == "authorization,x-portkey-config"
            client.send(preflight.format("https://evil.example"))
            reply = client.reply()
            assert reply.status == 404 and "access-control-allow-origin" not in reply.headers
            client.send(get("/size", "Origin: https://a.example\r\n"))
            reply = client.reply()
            assert reply.headers["access-control-allow-origin"] == "https://a.example"
            assert reply.headers["vary"] == "Origin"
            client.send(get("/size"))
            assert "access-control-allow-origin" not in client.reply().headers
    with App(BINARY, "--cors-origins=*") as app, app.connect() as client:
        client.send(get("/size", "Origin: https://any.example\r\n"))
        assert client.reply().headers["access-control-allow-origin"] == "*"


def certificate(folder):
    chain, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", chain],
        check=True, capture_output=True,
    )
    os.chmod(key, 0o600)
    return chain, key


@test
def tls():
    body = random.Random(2).randbytes(1_500_000)
    with tempfile.TemporaryDirectory() as folder:
        chain, key = certificate(folder)
        context = ssl.create_default_context(cafile=chain)
        context.set_alpn_protocols(["h2", "http/1.1"])
        with App(BINARY, f"--tls-cert={chain}", f"--tls-key=file:{key}", "--head-timeout=2500ms") as app:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context.minimum_version = context.maximum_version = version
                with app.connect(tls=context) as client:
                    assert client.socket.selected_alpn_protocol() == "http/1.1"
                    client.send(get("/size"))
                    assert client.reply().json()["tls"] is True
                    # One thread: a TLS object is not made for two.
                    client.send(post("/size", body) + get("/sized?1500000"))
                    assert client.reply().json()["bytes"] == len(body)
                    assert len(client.reply().body) == 1_500_000
                    packed = gzip.compress(body)
                    client.send(post("/size", packed, "Content-Encoding: gzip\r\n"))
                    assert client.reply().json()["bytes"] == len(body)
                    client.send(post("/sip?1", b"x" * 70_000) + post("/size", b"y" * 70_000))
                    assert client.reply().json()["bytes"] == 70_000
                    assert client.reply().json()["bytes"] == 70_000
                    client.send(get("/size", "Connection: close\r\n"))
                    assert client.reply().status == 200
                    assert client.socket.recv(1) == b"", "close_notify"
                with app.connect(tls=context) as client:
                    client.send(post("/echo", body[:300_000]))
                    reply = client.reply()  # it began before the body was there: no further request
                    assert reply.body == body[:300_000] and reply.headers["connection"] == "close"
            for refuse in (
                {"maximum_version": ssl.TLSVersion.TLSv1_1, "minimum_version": ssl.TLSVersion.TLSv1},
                {"alpn": ["h2"]},
            ):
                other = ssl.create_default_context(cafile=chain)
                if "alpn" in refuse:
                    other.set_alpn_protocols(refuse["alpn"])
                else:
                    other.set_ciphers("DEFAULT:@SECLEVEL=0")
                    other.minimum_version = refuse["minimum_version"]
                    other.maximum_version = refuse["maximum_version"]
                try:
                    app.connect(tls=other)
                    raise AssertionError(f"accepted {refuse}")
                except (ssl.SSLError, ConnectionResetError):
                    pass
            with app.connect() as plain:  # HTTP to a TLS port
                plain.send(get("/size"))
                plain.more()
                assert b"HTTP" not in plain.rest
            with app.connect() as silent:  # never begins its handshake
                assert silent.ended()
            context.maximum_version = ssl.TLSVersion.TLSv1_3
            with app.connect(tls=context) as watcher:
                client = app.connect(tls=context)
                client.send(get("/late?600000"))
                time.sleep(0.2)
                client.close()
                for _ in range(3000):
                    watcher.send(get("/size"))
                    if watcher.reply().json()["gone"] == 1:
                        break
                    time.sleep(0.02)
                else:
                    raise AssertionError("a TLS client's end was not noticed")

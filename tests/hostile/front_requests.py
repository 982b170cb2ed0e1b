"""Requests and replies: framing both ways, bodies, refusals, and bytes at random."""
import gzip
import random
import socket
import threading

from front_client import BINARY, App, chunked, get, post, test


@test
def keep_alive_carries_many_requests():
    with App(BINARY) as app, app.connect() as client:
        for n in (0, 1, 10, 70_000, 3):
            client.send(post("/size", b"x" * n))
            reply = client.reply()
            assert (reply.status, reply.json()["bytes"]) == (200, n)
            assert "date" in reply.headers and "connection" not in reply.headers
        client.send(get("/size", "Connection: close\r\n"))
        assert client.reply().headers["connection"] == "close"
        assert client.ended()


@test
def pipelined_requests_are_answered_in_order():
    with App(BINARY) as app, app.connect() as client:
        lengths = [random.randrange(0, 5000) for _ in range(60)]
        requests = b"".join(
            post("/size", b"y" * n) if i % 3 else get("/sized?%d" % n) for i, n in enumerate(lengths)
        )
        sender = threading.Thread(daemon=True, target=client.send, args=(requests,))
        sender.start()
        for i, n in enumerate(lengths):
            reply = client.reply()
            assert (reply.json()["bytes"] if i % 3 else len(reply.body)) == n, i
        sender.join()


@test
def a_request_may_arrive_byte_by_byte():
    with App(BINARY) as app, app.connect() as client:
        message = b"POST /size HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"abcdefg", 3)
        for i in range(len(message)):
            client.send(message[i : i + 1])
        assert client.reply().json()["bytes"] == 7


@test
def bodies_come_back_as_they_were_sent():
    body = random.Random(1).randbytes(2_000_000)
    packed = gzip.compress(body, 1)
    with App(BINARY) as app:
        for headers, wire in (
            (f"Content-Length: {len(body)}\r\n", body),
            ("Transfer-Encoding: chunked\r\n", chunked(body, 7001)),
            (f"Content-Length: {len(packed)}\r\nContent-Encoding: gzip\r\n", packed),
            ("Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n", chunked(packed, 333)),
        ):
            with app.connect() as client:
                message = f"POST /echo HTTP/1.1\r\nHost: t\r\n{headers}\r\n".encode() + wire
                sender = threading.Thread(daemon=True, target=client.send, args=(message,))
                sender.start()
                assert client.reply().body == body, headers
                sender.join()


@test
def a_gzip_bomb_is_refused_at_the_cap():
    bomb = gzip.compress(b"\0" * 20_000_000)
    with App(BINARY, "--upload-max=1MiB") as app, app.connect() as client:
        client.send(post("/size", bomb, "Content-Encoding: gzip\r\n"))
        assert client.reply().status == 413
        assert client.ended()
        assert app.rss_kib() < 64 * 1024


@test
def damaged_bodies_fail_and_close():
    whole = gzip.compress(b"hello")
    for headers, wire in (
        ("Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\nXX\r\n"),
        ("Content-Encoding: gzip\r\nContent-Length: 5\r\n", b"hello"),
        (f"Content-Encoding: gzip\r\nContent-Length: {len(whole) - 1}\r\n", whole[:-1]),
        (f"Content-Encoding: gzip\r\nContent-Length: {len(whole) + 1}\r\n", whole + b"x"),
    ):
        with App(BINARY) as app, app.connect() as client:
            client.send(f"POST /size HTTP/1.1\r\nHost: t\r\n{headers}\r\n".encode() + wire)
            reply = client.reply()
            assert (reply.status, reply.json()["failed"]) == (400, 1), headers
            assert client.ended()


@test
def expect_100_continue():
    with App(BINARY) as app, app.connect() as client:
        head = "POST {} HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        client.send(head.format("/size"))
        assert client.head() == (100, {})
        client.send("hello")
        assert client.reply().json()["bytes"] == 5
        client.send(head.format("/size") + "hello")  # does not wait for it
        assert client.reply().json()["bytes"] == 5
        client.send(head.format("/refuse"))  # refused without being asked for
        reply = client.reply()
        assert (reply.status, reply.headers["connection"]) == (413, "close")
        assert client.ended()


@test
def an_unread_body_is_skipped_if_it_is_short():
    with App(BINARY) as app, app.connect() as client:
        client.send(post("/refuse", b"x" * 60_000) + get("/size"))
        assert client.reply().status == 413
        assert client.reply().status == 200
        client.send(post("/refuse", b"x" * 500_000)[:300_000])
        reply = client.reply()
        assert (reply.status, reply.headers["connection"]) == (413, "close")


@test
def a_refusal_reaches_a_client_that_is_still_sending():
    with App(BINARY) as app:
        for _ in range(20):
            with app.connect() as client:
                client.send(post("/refuse", b"x" * 1_000_000)[:900_000])
                assert client.reply().body == b"too large"


@test
def head_requests_have_no_body():
    with App(BINARY) as app, app.connect() as client:
        client.send("HEAD /sized?10 HTTP/1.1\r\nHost: t\r\n\r\n")
        reply = client.reply(head_only=True)
        assert reply.headers["content-length"] == "10"
        client.send("HEAD /fire?10 HTTP/1.1\r\nHost: t\r\n\r\n" + get("/sized?3").decode())
        assert client.reply(head_only=True).status == 200
        assert len(client.reply().body) == 3


@test
def http_1_0_clients():
    with App(BINARY) as app:
        with app.connect() as client:
            client.send("GET /sized?5 HTTP/1.0\r\n\r\n")
            reply = client.reply()
            assert (len(reply.body), reply.headers["connection"]) == (5, "close")
            assert client.ended()
        with app.connect() as client:
            client.send("GET /sized?5 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2)
            assert client.reply().headers["connection"] == "keep-alive"
            assert len(client.reply().body) == 5
        with app.connect() as client:
            client.send("GET /fire?50000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            reply = client.reply()
            assert "transfer-encoding" not in reply.headers and len(reply.body) == 50_000


@test
def replies_that_break_off_do_not_look_complete():
    with App(BINARY) as app:
        for path in ("/abort", "/short"):
            with app.connect() as client:
                client.send(get(path))
                try:
                    client.reply()
                    raise AssertionError(f"{path} looked complete")
                except EOFError:
                    pass
        with app.connect() as client:
            client.send("GET /abort HTTP/1.0\r\n\r\n")
            try:
                client.head()
                while client.socket.recv(100):
                    pass
                raise AssertionError("an orderly end")
            except (ConnectionResetError, EOFError):
                pass


@test
def headers_from_callers_cannot_split_or_frame():
    with App(BINARY) as app, app.connect() as client:
        client.send(get("/evil"))
        reply = client.reply()
        assert reply.body == b"ok" and reply.headers["x-good"] == "1"
        assert set(reply.headers) == {"date", "x-good", "content-length"}


@test
def malformed_requests_are_answered_and_closed():
    with App(BINARY) as app:
        for message, status in (
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nX:\rContent-Length: 3\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70_000, 431),
            (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 101 + b"\r\n", 431),
            (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx", 415),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        ):
            with app.connect() as client:
                client.send(message + get("/size"))
                reply = client.reply()
                assert reply.status == status and reply.headers["connection"] == "close", message[:40]
                assert reply.json()["error"]["code"] and reply.headers["x-request-id"]
                assert reply.headers["x-sluice-error-source"] == "gateway"
                assert client.ended()


@test
def random_bytes_do_no_harm():
    generator = random.Random(9)
    good = [get("/size"), post("/echo", b"q" * 3000), b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
            + chunked(b"q" * 300, 17), post("/size", gzip.compress(b"w" * 999), "Content-Encoding: gzip\r\n")]
    with App(BINARY) as app:
        for _ in range(400):
            message = bytearray(b"".join(generator.choices(good, k=3)))
            for _ in range(generator.randrange(1, 4)):
                message[generator.randrange(len(message))] = generator.randrange(256)
            with app.connect() as client:
                client.send(bytes(message))
                client.socket.shutdown(socket.SHUT_WR)
                while client.more():
                    pass
        answer = app.ask()
        assert answer["live"] == 1 and answer["connections"] == 1

#!/usr/bin/env python3
"""Every way an attempt can end, each over a connection that was used before: one entry in the ledger for each attempt that was sent, and each
attempt was sent once (a library that silently sends again would have the provider do, and bill, the work twice).
"""
import contextlib
import http.client
import time

import drill
from drill import harness

FAULTS = ("status:400", "status:401", "status:429;retry-after:1", "status:500", "status:503", "reset", "reset-after:2", "truncate:2", "garbage",
          "error-event:2", "gzip", "latency:100", "slow:2000", "cached:3;reasoning:5")
EDGE = "sluice-drill-edge"


def form(stack, second=False):
    """A transcription's form, the model first and a large file behind it; `second`: another model at its end."""
    def field(value):
        return f'--{EDGE}\r\nContent-Disposition: form-data; name="model"\r\n\r\n{value}\r\n'.encode()
    file = (f'--{EDGE}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n').encode() + b"x" * 2000000
    model = f"@{stack.provider}/whisper-1"
    return field(model) + file + b"\r\n" + (field(model) if second else b"") + f"--{EDGE}--\r\n".encode()


def ask(stack, body, path="/chat/completions", headers=None, timeout=harness.WAIT_S):
    """The status of a call; 0: the reply broke off."""
    try:
        return stack.gateway("POST", path, body, headers, timeout=timeout).status
    except (OSError, http.client.HTTPException):
        return 0


def leave_early(stack):
    """Clients that go away: in front of the answer, within a stream, within an upload."""
    body = form(stack)
    for stream in (False, True):
        ask(stack, stack.chat_body("sim:fault=hang", stream=stream), timeout=0.3)
    for _ in range(3):
        with stack.stream("words sim:fault=chunks:50;interval:20") as events:
            next(iter(events))
    with stack.wire() as wire:
        wire.head("POST", "/v1/audio/transcriptions", {"x-portkey-api-key": stack.key, "content-length": str(len(body)),
                                                       "content-type": f"multipart/form-data; boundary={EDGE}"})
        wire.send(body[:500000])
        time.sleep(0.2)


def main():
    given = drill.arguments(__doc__, repeats=1)
    form_headers = {"content-type": f"multipart/form-data; boundary={EDGE}"}
    with harness.stack(given.build, workers=1) as stack:
        host = drill.Host(stack)
        for _ in range(given.repeats):
            for fault in FAULTS:
                for stream in (False, True):
                    assert stack.chat("before").status == 200  # leaves a connection to reuse
                    status = ask(stack, stack.chat_body(f"sim:fault={fault}", stream=stream))
                    expected = int(fault[7:10]) if fault.startswith("status:") else 502 if fault == "reset" else None
                    assert expected is None or status == expected, f"{fault} stream={stream}: {status}"
            assert ask(stack, form(stack), "/audio/transcriptions", form_headers) == 200
            assert ask(stack, form(stack, second=True), "/audio/transcriptions", form_headers) in (400, 0)
            with contextlib.suppress(OSError, http.client.HTTPException):
                leave_early(stack)
        figures = drill.prove(stack, host)
        completed = [r["body"] for r in drill.truth_records(stack) if r["path"].endswith("transcriptions") and r["completed"]]
        assert len(completed) == given.repeats, "a form with two models reached the provider whole"
    drill.report(given, {"drill": "endings", "ledger": figures})


if __name__ == "__main__":
    main()

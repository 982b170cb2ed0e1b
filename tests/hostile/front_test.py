"""The worker's front (data-plane/worker: conn, front, listener, transport) from outside; front_app.c is behind it.

    front_test.py BINARY [TEST...]
"""
import sys
import time

from front_client import TESTS
import front_edges  # noqa: F401  the modules put their tests into TESTS
import front_requests  # noqa: F401
import front_slow  # noqa: F401


def main():
    ran = failed = 0
    chosen = sys.argv[2:]
    for function in TESTS:
        if chosen and function.__name__ not in chosen:
            continue
        ran += 1
        start = time.monotonic()
        try:
            function()
            print(f"ok   {function.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
        except Exception as error:  # every test runs; the report names each that failed
            failed += 1
            place = error.__traceback__
            while place.tb_next is not None and "/front_" in place.tb_next.tb_frame.f_code.co_filename:
                place = place.tb_next
            print(f"FAIL {function.__name__}, line {place.tb_lineno}: {type(error).__name__} {error}", flush=True)
    print(f"{ran} tests, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

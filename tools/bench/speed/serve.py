"""The loop of a peer of `npm run bench`, once its work is prepared."""
import json
import sys
import time


def serve(once, torch_version, check):
    """
    Prints a JSON line: `check`, the number that `check` returns, which both sides compute, and `versions`. Then, for each line read, does the work as many
    times as the line says, and prints the seconds that took.
    """
    print(json.dumps({"check": check(), "versions": {"torch": torch_version, "python": sys.version.split()[0]}}), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(int(line)):
            once()
        print(time.perf_counter() - start, flush=True)

"""Stands in for the command: does what the environment variable FAKE says."""

import json
import os
import sys
import time

fake = os.environ["FAKE"]
arguments = sys.argv[1:]
if fake == "echo":
    print("\n  a note", file=sys.stderr)
    print("Aligning:  34 %", file=sys.stderr)
    print(json.dumps({"kind": "echo", "arguments": arguments, "screen": sys.stderr.isatty()}))
elif fake.startswith("fail "):
    print("a note", file=sys.stderr)
    print(f"isthmus {arguments[0]}: {fake[5:]}", file=sys.stderr)
    sys.exit(2)
elif fake == "gate":
    print(json.dumps({"kind": "barrier", "barrier": 3}))
    print("isthmus: the loss barrier is 3, more than 1", file=sys.stderr)
    sys.exit(1)
elif fake == "npx":
    print("npm warn deprecated\nnpm error 404 Not Found", file=sys.stderr)
    sys.exit(1)
elif fake == "text":
    print("hello")
elif fake == "sleep":
    try:
        with open(os.environ["FAKE_STARTED"], "w") as file:
            file.write(str(os.getpid()))
        time.sleep(60)
    except KeyboardInterrupt:
        os.unlink(os.environ["FAKE_STARTED"])
        sys.exit(130)

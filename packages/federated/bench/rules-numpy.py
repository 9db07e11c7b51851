"""Times rules of NumPy and byzfl: reads `NAME PATH N F` from standard input, a raw f64 [N, E] matrix; answers one JSON line with milliseconds of the processor.

NAME is `np.median` or a class of byzfl. The matrix is read before the clock starts, once for each path.
"""

import json
import sys
import time

import byzfl
import numpy as np

print(json.dumps({"numpy": np.__version__, "python": sys.version.split()[0]}), flush=True)
path, vectors = None, None
for line in sys.stdin:
    name, new_path, n, f = line.split()
    if new_path != path:
        path = new_path
        vectors = np.fromfile(path, dtype=np.float64).reshape(int(n), -1)
    if name == "np.median":
        rule = lambda x: np.median(x, axis=0)
    elif name in ("Median", "Average"):
        rule = getattr(byzfl, name)()
    else:
        rule = getattr(byzfl, name)(int(f))
    start = time.process_time()
    rule(vectors)
    print(json.dumps({"ms": 1e3 * (time.process_time() - start)}), flush=True)

"""Times scipy.optimize.linear_sum_assignment: reads `PATH N` from standard input, a raw f32 [N, N] matrix; answers one JSON line.

The matrix is read before the clock starts. After `PATH N` the same matrix is solved again for every empty line.
"""

import json
import sys
import time

import numpy
import scipy
from scipy.optimize import linear_sum_assignment

print(json.dumps({"scipy": scipy.__version__, "python": sys.version.split()[0]}), flush=True)
costs = None
for line in sys.stdin:
    if line.strip():
        path, size = line.rsplit(maxsplit=1)
        costs = numpy.fromfile(path, dtype=numpy.float32).reshape(int(size), int(size))
    start = time.perf_counter()
    rows, columns = linear_sum_assignment(costs)
    elapsed = time.perf_counter() - start
    objective = float(costs[rows, columns].astype(numpy.float64).sum())
    print(json.dumps({"ms": 1e3 * elapsed, "objective": objective}), flush=True)

# Makes packages/linear-algebra/test/golden/singular-values.json: singular values, eigenvalues and polar factors of
# small matrices, by NumPy 2.4 in f64 (LAPACK) and from no code of ours.
# python singular-values.py > FILE && npx biome format --write FILE
#
# Matrices are waves with falling columns, as the test has them: sin(0.01 (i + 1)^2 + seed) / (1 + column)^2.
import json
import math
import sys

import numpy as np


def waves(rows, columns, seed):
    values = [
        math.sin(0.01 * (i + 1) ** 2 + seed) / (1 + i % columns) ** 2 for i in range(rows * columns)
    ]
    return np.array(values).reshape(rows, columns)


cases = []
for rows, columns, seed in [(3, 3, 0), (7, 4, 1), (4, 9, 2), (30, 24, 3)]:
    a = waves(rows, columns, seed)
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    case = {"rows": rows, "columns": columns, "seed": seed, "values": s.tolist()}
    if rows == columns:
        case["eigenvalues"] = np.linalg.eigvalsh(a + a.T)[::-1].tolist()
    if rows * columns < 40:
        case["polar"] = (u @ vt).ravel().tolist()
    cases.append(case)
json.dump(cases, sys.stdout)

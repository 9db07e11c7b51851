# Makes packages/fusion/test/golden/sinkhorn.json: entropic transport plans by POT (pip install POT==0.9.*),
# in the log domain, to a marginal error of 1e-14.
import json
import sys

import numpy as np
import ot

random = np.random.default_rng(0)
problems = []
for rows, columns, regularization in [(3, 3, 1.0), (4, 7, 0.1), (9, 5, 0.05), (8, 16, 0.02), (16, 8, 0.3)]:
    cost = random.normal(size=(rows, columns)).round(3)
    row_weights = random.uniform(0.2, 1, rows).round(3)
    column_weights = random.uniform(0.2, 1, columns).round(3)
    plan = ot.bregman.sinkhorn_log(
        row_weights / row_weights.sum(),
        column_weights / column_weights.sum(),
        cost,
        regularization,
        numItermax=1_000_000,
        stopThr=1e-14,
    )
    problems.append(
        {
            "rows": rows,
            "columns": columns,
            "regularization": regularization,
            "rowWeights": row_weights.tolist(),
            "columnWeights": column_weights.tolist(),
            "cost": cost.ravel().tolist(),
            "plan": plan.ravel().tolist(),
            "objective": float((plan * cost).sum()),
        }
    )
json.dump(problems, sys.stdout)

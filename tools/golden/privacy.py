# Makes packages/federated/test/golden/privacy.json: Renyi divergences, epsilons, deltas and noise multipliers by
# dp-accounting (pip install dp-accounting==0.6.0). Those of sampling without replacement are made exactly, by the
# same theorem in 400 digits (pip install mpmath), as dp-accounting loses them to rounding where noise is large; what
# it says itself is written as "rounded".
#
#   python tools/golden/privacy.py > packages/federated/test/golden/privacy.json
import functools
import json
import math
import sys

import dp_accounting as dp
import mpmath
from absl import logging
import numpy as np
from dp_accounting.rdp import rdp_privacy_accountant as rdp

# Orders whose series does not converge are left out, with a line for each.
logging.set_verbosity(logging.ERROR)

REPLACE = dp.NeighboringRelation.REPLACE_ONE
ADD = dp.NeighboringRelation.ADD_OR_REMOVE_ONE


def event(sampling, event):
    if sampling["kind"] == "poisson":
        return dp.PoissonSampledDpEvent(sampling["probability"], event)
    if sampling["kind"] == "fixed-size":
        return dp.SampledWithoutReplacementDpEvent(sampling["population"], sampling["size"], event)
    return event


def accountant(sampling):
    return rdp.RdpAccountant(neighboring_relation=REPLACE if sampling["kind"] == "fixed-size" else ADD)


def exact_fixed_size(q, sigma, orders):
    mpmath.mp.dps = 400
    q, sigma = mpmath.mpf(q), mpmath.mpf(sigma)

    def gaussian(x):
        return mpmath.exp(x * (x + 1) / (2 * sigma**2))

    @functools.cache
    def difference(k):
        return sum((-1) ** (k - j) * mpmath.binomial(k, j) * gaussian(j - 1) for j in range(k + 1))

    @functools.cache
    def term(i, simple):
        if i == 2:
            return min(4 * (mpmath.exp(1 / sigma**2) - 1), 2 * mpmath.exp(1 / sigma**2))
        if simple:
            return 2 * gaussian(i - 1)
        return min(4 * mpmath.sqrt(difference(2 * (i // 2)) * difference(2 * ((i + 1) // 2))), 2 * gaussian(i - 1))

    @functools.cache
    def moment(order):
        whole = range(2, order + 1)
        return mpmath.log(1 + sum(mpmath.binomial(order, i) * q**i * term(i, order > 256) for i in whole))

    def divergence(order):
        low, high = math.floor(order), math.ceil(order)
        t = order - low
        return float(((1 - t) * moment(low) + t * moment(high)) / (order - 1))

    return np.array([divergence(order) for order in orders])


def finite(values):
    return [float(value) if value < float("inf") else None for value in values]


# Of all orders, divergences at every seventh are written.
STEP = 7
samplings = [
    {"kind": "poisson", "probability": 0.001},
    {"kind": "poisson", "probability": 0.01},
    {"kind": "poisson", "probability": 0.2},
    {"kind": "poisson", "probability": 0.9},
    {"kind": "fixed-size", "size": 20, "population": 2000},
    {"kind": "fixed-size", "size": 100, "population": 1000},
    {"kind": "fixed-size", "size": 9, "population": 10},
    {"kind": "all"},
]
rounds = []
for sampling in samplings:
    for noise in [0.3, 0.7, 1.1, 4.0, 30.0]:
        account = accountant(sampling)
        account.compose(event(sampling, dp.GaussianDpEvent(noise)))
        fixed = sampling["kind"] == "fixed-size"
        divergences = account.rdp
        if fixed:
            divergences = exact_fixed_size(sampling["size"] / sampling["population"], noise, account.orders)
        spent = []
        for count in [1, 1000]:
            account = accountant(sampling)
            account.compose(event(sampling, dp.GaussianDpEvent(noise)), count)
            spent.append(
                {
                    "rounds": count,
                    "epsilons": [
                        [delta, float(rdp.compute_epsilon(account.orders, count * divergences, delta)[0])]
                        for delta in [1e-9, 1e-4]
                    ],
                    "deltas": [
                        [epsilon, float(rdp.compute_delta(account.orders, count * divergences, epsilon)[0])]
                        for epsilon in [0.5, 8.0]
                    ],
                    **({"rounded": float(account.get_epsilon(1e-4))} if fixed else {}),
                }
            )
        rounds.append({"sampling": sampling, "noiseMultiplier": noise, "divergences": finite(divergences[::STEP]), "spent": spent})

# Several mechanisms one after another.
compositions = []
for expenses in [
    [(samplings[1], 1.1, 500), (samplings[2], 3.0, 20), (samplings[7], 10.0, 3)],
    [(samplings[4], 1.5, 200), (samplings[5], 4.0, 100), (samplings[7], 20.0, 1)],
]:
    account = accountant(expenses[0][0])
    for sampling, noise, count in expenses:
        account.compose(event(sampling, dp.GaussianDpEvent(noise)), count)
    compositions.append(
        {
            "ledger": [{"sampling": s, "noiseMultiplier": z, "rounds": n} for s, z, n in expenses],
            "delta": 1e-6,
            "epsilon": float(account.get_epsilon(1e-6)),
        }
    )

# Adaptive clipping: updates and the count of unclipped ones, each with its noise, on the same sampled clients.
adaptive = []
for sampling, updates, count_deviation in [(samplings[1], 1.2, 5.0), (samplings[2], 0.8, 1.0)]:
    account = accountant(sampling)
    both = dp.ComposedDpEvent([dp.GaussianDpEvent(updates), dp.GaussianDpEvent(2 * count_deviation)])
    account.compose(event(sampling, both), 100)
    adaptive.append(
        {
            "sampling": sampling,
            "updates": updates,
            "countDeviation": count_deviation,
            "rounds": 100,
            "delta": 1e-5,
            "epsilon": float(account.get_epsilon(1e-5)),
        }
    )

calibrations = []
for sampling, count, epsilon, delta in [
    (samplings[1], 1000, 2.0, 1e-6),
    (samplings[2], 100, 8.0, 1e-5),
    (samplings[4], 500, 1.0, 1e-5),
    (samplings[7], 10, 3.0, 1e-5),
    (samplings[0], 10000, 0.5, 1e-7),
]:
    noise = dp.calibrate_dp_mechanism(
        lambda: accountant(sampling),
        lambda z: dp.SelfComposedDpEvent(event(sampling, dp.GaussianDpEvent(z)), count),
        epsilon,
        delta,
        bracket_interval=dp.LowerEndpointAndGuess(0.05, 1.0),
        tol=1e-8,
    )
    calibrations.append(
        {"sampling": sampling, "rounds": count, "budget": {"epsilon": epsilon, "delta": delta}, "noiseMultiplier": float(noise)}
    )

json.dump(
    {
        "madeBy": "dp-accounting 0.6.0, mpmath " + mpmath.__version__,
        "orders": [float(order) for order in rdp.DEFAULT_RDP_ORDERS[::STEP]],
        "rounds": rounds,
        "compositions": compositions,
        "adaptive": adaptive,
        "calibrations": calibrations,
    },
    sys.stdout,
)

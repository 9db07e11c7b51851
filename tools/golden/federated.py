"""Writes golden values of federated rules by running the aggregation code of Flower 1.42 and byzfl 0.0.11 on small updates.

    python tools/golden/federated.py > packages/federated/test/golden/rules.json

Needs flwr 1.42, byzfl 0.0.11 and numpy. Arrays are the bytes of f32 or f64, little-endian, in base64. Inputs are f32
numbers, so that runs in f32 and in f64 begin with the same ones. Flower gets whole networks and its results are the new
network after each round; byzfl gets displacements from the global network and its results are aggregates of these.
"""

import base64
import json
import logging
import sys
from importlib.metadata import version

import byzfl
import numpy as np
from flwr.app import Array, ArrayRecord, Message, MetricRecord, RecordDict
from flwr.server.strategy.aggregate import aggregate_bulyan, aggregate_krum
from flwr.supercore.task_identity import TaskIdentity
from flwr.serverapp.strategy import (
    Bulyan,
    FedAdagrad,
    FedAdam,
    FedAvg,
    FedAvgM,
    FedMedian,
    FedTrimmedAvg,
    FedYogi,
    Krum,
    MultiKrum,
    QFedAvg,
)

logging.getLogger("flwr").setLevel(logging.ERROR)
# Messages know the run they belong to, which Flower sets where it starts one.
TaskIdentity.run_id, TaskIdentity.task_id, TaskIdentity.node_id = 1, 1, 1
SEED = 2026
SHAPES = [(3, 5), (3,)]
SIZE = 18
ROUNDS = 3
DTYPES = {"f64": np.float64, "f32": np.float32}
ATTACKERS = {5: 1, 11: 2, 20: 4}
random = np.random.default_rng(SEED)


def encode(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def make_inputs(n):
    """Makes clients' networks around a global one; the attackers are the last, ten times as far away."""
    network = random.normal(size=SIZE).astype(np.float32)
    rounds = []
    for _ in range(ROUNDS):
        scale = np.where(np.arange(n) < n - ATTACKERS[n], 0.1, 1.0)[:, None]
        rounds.append((network + 0.05 + scale * random.normal(size=(n, SIZE))).astype(np.float32))
    losses = random.uniform(0.1, 2, size=(ROUNDS, n)).round(3)
    return {"network": network, "rounds": rounds, "losses": losses, "examples": random.integers(5, 200, n)}


INPUTS = {n: make_inputs(n) for n in ATTACKERS}


def record(vector, dtype):
    parts = np.split(vector.astype(dtype), np.cumsum([np.prod(shape) for shape in SHAPES])[:-1])
    return ArrayRecord({f"t{i}": Array(part.reshape(shape)) for i, (part, shape) in enumerate(zip(parts, SHAPES))})


def flatten(arrays):
    return np.concatenate([array.numpy().ravel() for array in arrays.values()])


def replies(networks, dtype, examples, losses):
    messages = []
    for k, network in enumerate(networks):
        metrics = MetricRecord({"num-examples": int(examples[k]), "train_loss": float(losses[k])})
        asked = Message(RecordDict(), dst_node_id=k + 1, message_type="train")
        messages.append(Message(RecordDict({"arrays": record(network, dtype), "metrics": metrics}), reply_to=asked))
    return messages


def run_flower(make, n, equal, dtype, rounds):
    """Runs a strategy from the global network; returns the network after each round."""
    strategy, given = make(), INPUTS[n]
    examples = np.ones(n) if equal else given["examples"]
    network, results = given["network"].astype(dtype), []
    for r in range(rounds):
        current = record(network, dtype)
        # What configure_train keeps, in the form each strategy keeps it.
        is_adaptive = isinstance(strategy, (FedAdam, FedYogi, FedAdagrad))
        strategy.current_arrays = {k: v.numpy() for k, v in current.items()} if is_adaptive else current
        arrays, _ = strategy.aggregate_train(r + 1, replies(given["rounds"][r], dtype, examples, given["losses"][r]))
        network = flatten(arrays)
        results.append(encode(network.astype(dtype)))
    return results


def legacy_bulyan(n, f, dtype):
    results = [([network.astype(dtype)], 1) for network in INPUTS[n]["rounds"][0]]
    return [encode(aggregate_bulyan(results, f, aggregate_krum, to_keep=0)[0].astype(dtype))]


def flower_cases():
    for n, f in ATTACKERS.items():
        both = [
            ("FedAvg", {}, lambda: FedAvg(), 1),
            ("FedAvgM", {"learningRate": 1, "momentum": 0.9}, lambda: FedAvgM(server_momentum=0.9), 3),
            (
                "FedAvgM",
                {"learningRate": 0.5, "momentum": 0.7},
                lambda: FedAvgM(server_learning_rate=0.5, server_momentum=0.7),
                3,
            ),
            ("FedAdam", {}, lambda: FedAdam(), 3),
            ("FedYogi", {}, lambda: FedYogi(), 3),
            ("FedAdagrad", {}, lambda: FedAdagrad(), 3),
            ("MultiKrum", {"f": f, "select": n - f}, lambda: MultiKrum(num_malicious_nodes=f, num_nodes_to_select=n - f), 1),
        ]
        for name, options, make, rounds in both:
            for equal in [True, False]:
                yield name, options, n, equal, lambda t: run_flower(make, n, equal, t, rounds)
        unweighted = [
            ("FedMedian", {}, lambda: FedMedian()),
            ("FedTrimmedAvg", {"beta": 0.2}, lambda: FedTrimmedAvg(beta=0.2)),
            ("FedTrimmedAvg", {"beta": 0.35}, lambda: FedTrimmedAvg(beta=0.35)),
            ("Krum", {"f": f}, lambda: Krum(num_malicious_nodes=f)),
            ("QFedAvg", {"clientLearningRate": 0.1, "q": 0.1}, lambda: QFedAvg(client_learning_rate=0.1)),
            ("QFedAvg", {"clientLearningRate": 0.5, "q": 2}, lambda: QFedAvg(client_learning_rate=0.5, q=2.0)),
        ]
        for name, options, make in unweighted:
            yield name, options, n, False, lambda t: run_flower(make, n, False, t, 1)
        if n >= 4 * f + 3:
            yield "aggregate_bulyan", {"f": f}, n, True, lambda t: legacy_bulyan(n, f, t)


def displacements(n, r, dtype):
    given = INPUTS[n]
    return (given["rounds"][r].astype(np.float64) - given["network"].astype(np.float64)).astype(dtype)


def byzfl_cases():
    for n, f in ATTACKERS.items():
        rules = [
            ("Average", {}, lambda: byzfl.Average(), 1),
            ("Median", {}, lambda: byzfl.Median(), 1),
            ("TrMean", {"f": f}, lambda: byzfl.TrMean(f), 1),
            ("Meamed", {"f": f}, lambda: byzfl.Meamed(f), 1),
            ("Krum", {"f": f}, lambda: byzfl.Krum(f), 1),
            ("MultiKrum", {"f": f}, lambda: byzfl.MultiKrum(f), 1),
            ("GeometricMedian", {"nu": 0.1, "iterations": 3}, lambda: byzfl.GeometricMedian(0.1, 3), 1),
            ("GeometricMedian", {"nu": 0.6, "iterations": 8}, lambda: byzfl.GeometricMedian(0.6, 8), 1),
            ("CenteredClipping", {"radius": 0.5, "iterations": 1}, lambda: byzfl.CenteredClipping(tau=0.5), 3),
            ("CenteredClipping", {"radius": 0.3, "iterations": 4}, lambda: byzfl.CenteredClipping(L=4, tau=0.3), 3),
            ("MDA", {"f": f}, lambda: byzfl.MDA(f), 1),
        ]
        for name, options, make, rounds in rules:

            def run(dtype):
                rule = make()
                return [encode(rule(displacements(n, r, dtype)).astype(dtype)) for r in range(rounds)]

            yield name, options, n, True, run


def pre_aggregations():
    """Runs steps before rules; buckets are drawn by the order that is written along."""
    for n, f in ATTACKERS.items():
        vectors = displacements(n, 0, np.float64)
        np.random.seed(n)
        order = np.random.permutation(n)
        np.random.seed(n)
        yield {"n": n, "name": "Bucketing", "options": {"size": 3}, "order": order.tolist(), "result": encode(byzfl.Bucketing(3)(vectors))}
        yield {"n": n, "name": "NNM", "options": {"f": f}, "result": encode(byzfl.NNM(f)(vectors))}
        yield {"n": n, "name": "Clipping", "options": {"bound": 0.5}, "result": encode(byzfl.Clipping(0.5)(vectors.copy()))}
        yield {"n": n, "name": "ARC", "options": {"f": f}, "result": encode(byzfl.ARC(f)(vectors.copy()))}


def run_krum(networks, dtype, f):
    strategy = Krum(num_malicious_nodes=f)
    messages = replies([np.array(x) for x in networks], dtype, np.ones(len(networks)), np.ones(len(networks)))
    return flatten(strategy.aggregate_train(1, messages)[0]).astype(np.float64).tolist()


def far_networks():
    """Networks around 1000 that differ by 2^-12 and more, which f32 holds exactly but whose products it does not."""
    offsets = np.zeros((5, SIZE))
    offsets[:, 0] = np.array([-4, -1, 0, 1, 9]) * 2.0**-12
    offsets[:, 1] = np.array([5, 1, 0, -1, 8]) * 2.0**-12
    return (1000 + np.arange(SIZE) + offsets).tolist()


def run_bulyan(points, f):
    strategy = Bulyan(num_malicious_nodes=f)
    networks = [np.full(SIZE, float(x)) for x in points]
    messages = replies(networks, np.float64, np.ones(len(points)), np.ones(len(points)))
    single = float(flatten(strategy.aggregate_train(1, messages)[0])[0])
    iterated = aggregate_bulyan([([x], 1) for x in networks], f, aggregate_krum, to_keep=0)
    return {"points": points, "f": f, "single": single, "iterated": float(iterated[0][0])}


def cases(source, items):
    return [
        {"from": source, "name": name, "options": options, "n": n, "equal": equal, "result": {d: run(t) for d, t in DTYPES.items()}}
        for name, options, n, equal, run in items
    ]


def main():
    far = far_networks()
    document = {
        "seed": SEED,
        "versions": {name: version(name) for name in ["flwr", "byzfl", "numpy"]},
        "inputs": {
            str(n): {
                "network": encode(given["network"]),
                "rounds": [[encode(network) for network in networks] for networks in given["rounds"]],
                "losses": given["losses"].tolist(),
                "examples": given["examples"].tolist(),
            }
            for n, given in INPUTS.items()
        },
        "cases": cases("flwr", flower_cases()) + cases("byzfl", byzfl_cases()),
        "steps": list(pre_aggregations()),
        "cancellation": {"networks": far, "f": 1, "f32": run_krum(far, np.float32, 1), "f64": run_krum(far, np.float64, 1)},
        "bulyan": [run_bulyan(points, f) for points, f in BULYAN],
    }
    json.dump(document, sys.stdout)
    print()


# Points on a line, attackers last, for which a choice at once and one by one differ.
BULYAN = [
    ([0, 1, 2, 3, 6, 9, 10, 11, 12, 18, 39], 2),
    ([1, 2, 3, 4, 7, 10, 11, 12, 13, 31, 15], 2),
    ([0, 1, 2, 4, 7, 10, 11, 12, 13, 20, 36], 2),
]

if __name__ == "__main__":
    main()

# Makes packages/curvature/test/golden/topology.json: pairs of 0-dimensional persistence of grids as gudhi 3.13.0
# computes them (lower-star filtrations of vertices, neighbours along axes), and their saddle-minimum average
# distance over the merge trees of topopy 1.0.4 on a Gabriel graph of nglpy 1.1.7, as Landscaper 1.3.1 defines it.
# pip install gudhi==3.13.0 topopy==1.0.4 nglpy==1.1.7 "numpy<2"; python topology.py > FILE && npx biome format --write FILE
#
# Values are waves, as test/helpers/waves.ts has them.
import json
import math
import sys

import gudhi
import nglpy
import numpy
import topopy

SHAPES = [[40], [7, 9], [12, 12], [4, 5, 6]]


def waves(shape, seed, scale):
    values = [scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return numpy.array(values, dtype=numpy.float32).astype(float).reshape(shape)


def pairs(values):
    persistence = gudhi.CubicalComplex(vertices=values).persistence(homology_coeff_field=2)
    finite = [[birth, death] for dimension, (birth, death) in persistence if dimension == 0 and death < math.inf]
    return sorted(pair for pair in finite if pair[0] < pair[1])


def gabriel():
    return nglpy.EmptyRegionGraph(beta=1.0, relaxed=False, p=2.0)


def saddle_minimum_distance(values):
    places = numpy.argwhere(numpy.ones(values.shape)).astype(float)
    flat = values.flatten()
    tree = topopy.MergeTree(graph=gabriel())
    tree.build(places, flat)
    complex_ = topopy.MorseSmaleComplex(graph=gabriel(), gradient="steepest")
    complex_.build(places, flat)
    basins = complex_.get_unstable_manifolds()
    rises, shares = [], []
    for edge in tree.edges:
        for saddle, minimum in (edge, edge[::-1]):
            if saddle in tree.branches and complex_.get_classification(minimum) == "minimum":
                rises.append(float(flat[saddle] - flat[minimum]))
                shares.append(len(basins[minimum]) / len(flat))
    return {
        "mean": sum(rises) / len(rises),
        "normalized": sum(rises) / len(rises) / float(flat.max() - flat.min()),
        "weighted": sum(r * s for r, s in zip(rises, shares)) / len(rises),
    }


json.dump(
    [
        {
            "shape": shape,
            "seed": seed,
            "pairs": pairs(waves(shape, seed, 1.5)),
            "saddleMinimumDistance": saddle_minimum_distance(waves(shape, seed, 1.5)) if len(shape) > 1 else None,
        }
        for seed, shape in enumerate(SHAPES)
    ],
    sys.stdout,
)

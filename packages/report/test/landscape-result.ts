import { createRandom } from "@isthmus/core";
import { gridTopology, type LandscapeResult } from "@isthmus/curvature";

const places = (points: number, from = -1, to = 1): number[] =>
  Array.from({ length: points }, (_, i) => from + ((to - from) * i) / (points - 1));

/** A landscape of wells along random directions: a line, a plane or a grid of three. */
export function landscapeResult(dimensions: 1 | 2 | 3 = 2): LandscapeResult {
  const random = createRandom(2, "landscape");
  const axes = Array.from({ length: dimensions }, () => places(dimensions === 3 ? 7 : 21));
  const coordinates = axes.reduce<number[][]>(
    (all, axis) => all.flatMap((place) => axis.map((x) => [...place, x])),
    [[]],
  );
  const loss = coordinates.map(
    (place) =>
      0.1 + place.reduce((sum, x) => sum + x * x + 0.25 * (1 - Math.cos(9 * x)) + 0.02 * random.uniform(), 0),
  );
  const middle = { source: "runs/s0.safetensors", place: axes.map(() => 0), distance: 0 };
  return {
    ...{ kind: "landscape", directions: "random", normalization: "filter", vectors: "ignore" },
    basis: axes.map((_, k) => ({ label: `random ${k + 1}`, length: 5.2, slope: 0.05, curvature: 22.25 })),
    cosines: axes.map((_, i) => axes.map((__, j) => (i === j ? 1 : 0.01))),
    ...{ axes, loss, error: loss.map((value) => value / 4) },
    networks: [{ label: "s0", ...middle, loss: 0.1, error: 0.025 }],
    topology: gridTopology(
      loss,
      axes.map(({ length }) => length),
    ),
    ...{ derivatives: "exact", seed: 0, statistics: "recalibrate", examples: 1000 },
    ...{ data: "mnist:test", engine: "onnxruntime" },
  };
}

/** The plane of a training run of five snapshots, along principal components. */
export function trajectoryResult(): LandscapeResult {
  const { basis, networks, ...others } = landscapeResult();
  const way = [-0.9, -0.7, -0.4, -0.15].map((x, k) => ({
    ...{
      label: `epoch ${k}`,
      source: `run/${k}.safetensors`,
      place: [x, 0.8 * x * (x + 0.2)],
      distance: 0.02 * k,
    },
    ...{ loss: 2.3 - 0.4 * k, error: 0.9 - 0.2 * k },
  }));
  return {
    ...others,
    ...{ directions: "trajectory", normalization: "none", vectors: "move" },
    basis: basis.map((direction, k) => {
      return { ...direction, label: `component ${k + 1}`, length: 1, explained: k === 0 ? 0.9 : 0.08 };
    }),
    networks: [...networks, ...way],
  };
}

/** The line from an initialization to a network, which rises on its way. */
export function initializationResult(): LandscapeResult {
  const { topology: _, ...others } = landscapeResult(1);
  const axis = places(11, 0, 1);
  const loss = axis.map((t) => 2.3 * (1 - t) + 0.1 * t + 0.9 * Math.sin(Math.PI * t) ** 2);
  const definitions = { chord: 0.9, meanOfEndpoints: 1.2, maxEndpoint: 0.1, midpoint: 0.9, at: 0.5 };
  const [network] = others.networks;
  return {
    ...others,
    ...{ directions: "initialization", normalization: "none", vectors: "move", axes: [axis], loss },
    basis: [{ label: "way from the initialization", length: 7.5 }],
    error: loss.map((value) => value / 4),
    networks: network
      ? [
          { ...network, place: [1] },
          { ...network, label: "init", place: [0], loss: 2.3, error: 0.575 },
        ]
      : [],
    topology: gridTopology(loss, [11]),
    interpolation: {
      ...{ monotone: false, largestRise: 0.08, from: 0.1, to: 0.3 },
      barrier: { loss: definitions, error: definitions },
    },
  };
}

import type { IntrinsicDimensionResult } from "@isthmus/subspace";

/** Intrinsic dimension of a small network, with one accuracy that falls and a seed that differs. */
export function intrinsicDimensionResult(): IntrinsicDimensionResult {
  const accuracies: readonly (readonly [dimension: number, first: number, second: number])[] = [
    [100, 0.612, 0.588],
    [200, 0.791, 0.803],
    [400, 0.884, 0.871],
    [450, 0.868, 0.872],
    [800, 0.917, 0.921],
  ];
  return {
    kind: "intrinsic-dimension",
    dimension: 400,
    crossing: 391.2,
    crossings: [
      { seed: 0, dimension: 376.4 },
      { seed: 1, dimension: 460.1 },
    ],
    interval: { low: 116.5, high: 1487.2 },
    threshold: 0.9,
    line: 0.8721,
    baseline: [
      { seed: 0, accuracy: 0.971, loss: 0.094 },
      { seed: 1, accuracy: 0.967, loss: 0.101 },
    ],
    untrained: {
      start: [
        { seed: 0, accuracy: 0.098, loss: 2.31 },
        { seed: 1, accuracy: 0.104, loss: 2.3 },
      ],
      ...{ guess: 0.1135, startReaches: false, learned: true },
    },
    points: accuracies.flatMap(([dimension, ...both]) =>
      both.map((accuracy, seed) => ({ dimension, seed, accuracy, loss: 2 * (1 - accuracy) })),
    ),
    parameters: 199_210,
    projection: "sparse",
    scope: "whole",
    resolution: 0.1,
    seeds: [0, 1],
    epochs: 2,
    batch: 128,
    optimizer: "adam",
    learningRate: 0.1,
    baselineLearningRate: 0.001,
    network: "mlp:200x2",
    data: "mnist:train",
    examples: 60_000,
    evaluationData: "mnist:test",
    evaluationExamples: 10_000,
    engine: "onnxruntime",
  };
}

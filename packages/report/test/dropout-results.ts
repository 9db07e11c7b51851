import type {
  DropoutPathResult,
  DropoutStabilityResult,
  MeasuredPath,
  WalkedPathResult,
} from "@isthmus/connectivity";

/** Dropout stability of a network of two layers, at two shares. */
export function dropoutStabilityResult(): DropoutStabilityResult {
  const trial = (height: number) => ({
    steps: ["layers.1", "layers.0"].map((from, index) => {
      return { from, units: 8, factor: 2, loss: 0.1 + height * (index + 1), error: 0.02 + 0.1 * height };
    }),
    rise: 2 * height,
  });
  const share = (share: number, height: number) => ({
    share,
    trials: [trial(height), trial(2 * height)],
    rise: { mean: 3 * height, min: 2 * height, max: 4 * height },
  });
  return {
    ...{ kind: "dropout-stability", loss: 0.1, error: 0.02 },
    layers: [
      { name: "layers.0", units: 16 },
      { name: "layers.1", units: 16 },
    ],
    left: { tied: '"embedding" both writes and reads its units, as a tied weight does' },
    shares: [share(0.25, 0.8), share(0.5, 0.2)],
    ...{ choice: "random", rescale: "inverse", statistics: "keep", examples: 500, data: "mnist:test@500" },
    ...{ network: "nets/a.safetensors", seed: 3, engine: "onnxruntime-node" },
  };
}

/** A path through halved networks, beside the straight line and the line to an aligned network. */
export function dropoutPathResult(): DropoutPathResult {
  const segments = ["take units out", "copy the second network", "turn", "undo: take units out"].map(
    (step, index) => ({ step, from: index / 4, to: (index + 1) / 4, isChange: index !== 1 }),
  );
  return {
    ...{ kind: "dropout-path", path: measuredPath(0.3), line: measuredPath(1.6) },
    beside: [{ name: "line to B aligned", path: measuredPath(0.15) }],
    ...{ segments, order: "layers", mixed: [], bound: 0.42, choice: "random", rescale: "fit", trials: 3 },
    ...{ statistics: "keep", examples: 500, data: "mnist:test@500", seed: 3, engine: "onnxruntime-node" },
    ...{ a: "nets/a.safetensors", b: "nets/b.safetensors" },
  };
}

/** A path that two layers walked one after the other, beside the straight line and a curve. */
export function walkedPathResult(): WalkedPathResult {
  return {
    ...{ kind: "walked-path", path: measuredPath(0.2), line: measuredPath(1.6) },
    beside: [{ name: "Bezier curve", path: measuredPath(0.1) }],
    segments: [
      { layer: "layers.0", from: 0, to: 0.5 },
      { layer: "layers.1", from: 0.5, to: 1 },
    ],
    ...{ moves: 2, trainSteps: 20, steps: 80, batch: 128, optimizer: "sgd", learningRate: 0.03 },
    ...{ trainingData: "mnist:train", statistics: "recalibrate", examples: 500, data: "mnist:test@500" },
    ...{ a: "nets/a.safetensors", b: "nets/b.safetensors", seed: 3, engine: "onnxruntime-node" },
  };
}

function measuredPath(height: number): MeasuredPath {
  const points = Array.from({ length: 9 }, (_, index) => {
    const t = index / 8;
    const loss = 0.1 + 4 * height * t * (1 - t);
    return { t, loss, error: loss / 5, length: 20 * t };
  });
  const losses = {
    min: 0.1,
    max: 0.1 + height,
    mean: 0.1 + height / 2,
    lengthMean: 0.1 + height / 2,
    at: 0.5,
  };
  const error = Object.fromEntries(
    Object.entries(losses).map(([key, value]) => [key, key === "at" ? value : value / 5]),
  );
  return { points, length: 20, loss: losses, error: error as typeof losses };
}

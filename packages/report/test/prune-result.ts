import type { PruneResult } from "@isthmus/sparsity";

/** A small network without half of its units, trained on. */
export function pruneResult(): PruneResult {
  const layers = [
    { name: "layers.1.weight", elements: 25_088, pruned: 12_544 },
    { name: "layers.3.weight", elements: 1024, pruned: 768 },
    { name: "layers.5.weight", elements: 320, pruned: 160 },
  ].map((layer) => ({ ...layer, sparsity: layer.pruned / layer.elements }));
  return {
    ...{ kind: "prune", network: "runs/s0.safetensors", by: "units", target: 0.5, sparsity: 13_472 / 26_432 },
    ...{ elements: 26_432, pruned: 13_472, layers },
    units: [
      { name: "layers.1.weight.0", units: 32, pruned: 16 },
      { name: "layers.3.weight.0", units: 32, pruned: 16 },
    ],
    measures: {
      before: { loss: 0.21, error: 0.06 },
      after: { loss: 0.94, error: 0.28 },
      tuned: { loss: 0.25, error: 0.07 },
      ...{ examples: 1000, data: "mnist:test", engine: "onnxruntime" },
    },
    tuning: { data: "mnist:train", epochs: 2, seed: 0 },
  };
}

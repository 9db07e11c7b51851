import type { SimilarityResult } from "@isthmus/similarity";
import { SIMILARITY_NUMBERS } from "../../similarity/src/measures/measure.ts";

const LAYERS = [..."0123456".split("").map((index) => `blocks.${index}/Relu`), "logits"];

/** Similarity of two small networks by every measure, with a layer that does not vary. */
export function similarityResult(): SimilarityResult {
  const layers = LAYERS.map((label, i) => ({
    name: `/${label}_output_0`,
    label,
    features: i === 7 ? 10 : 32,
  }));
  return {
    kind: "similarity",
    a: "runs/s0.safetensors",
    b: "runs/s1.safetensors",
    layersA: layers,
    layersB: layers,
    tables: SIMILARITY_NUMBERS.map((number, k) => ({
      number,
      values: LAYERS.map((_, i) =>
        LAYERS.map((_, j) =>
          i === 2 && k === 2 ? null : 0.95 - 0.04 * k - 0.08 * Math.abs(i - j) - 0.01 * i,
        ),
      ),
    })),
    positions: "flatten",
    samples: 1000,
    estimator: "unbiased",
    bandwidth: 0.8,
    variance: 0.99,
    anchors: 300,
    neighbours: 10,
    examples: 1000,
    data: "mnist:test",
    seed: 0,
    engine: "onnxruntime",
  };
}

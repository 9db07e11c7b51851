// Measures how steep the loss is at a network: the norm of its gradient, for all weights and for each tensor.
// isthmus --use ./gradient-norm.ts gradient-norm a.safetensors --graph model.onnx --data mnist:test@100
import { choiceField, namesField, toFloat64 } from "@isthmus/core";
import { measureGradient } from "@isthmus/training";
import { defineMeasurement } from "isthmus";

const NORMS = {
  euclidean: (slopes: Float64Array) => Math.sqrt(slopes.reduce((sum, slope) => sum + slope ** 2, 0)),
  largest: (slopes: Float64Array) => slopes.reduce((most, slope) => Math.max(most, Math.abs(slope)), 0),
};

export const gradientNorm = defineMeasurement({
  verb: "gradient-norm",
  kind: "gradient-norm",
  summary: "Measure how steep the loss is at a network",
  subject: "network",
  options: {
    norm: choiceField(["euclidean", "largest"], {
      default: "euclidean",
      help: "the root of the sum of squares of all slopes, or the slope of the steepest weight",
    }),
    tensors: namesField({ help: "tensors that count, for example fc1.weight,fc1.bias (default: all)" }),
  },
  examples: [["--norm largest --report gradient.html", "the steepest weight of each tensor, also as a page"]],
  async run({ graph, engine, network, data }, { norm, tensors }, { signal, report }) {
    const gradient = await measureGradient({ graph, engine }, network, data, {
      signal,
      onProgress: ({ done }) => report("Measuring the gradient", done),
    });
    const layers: { name: string; weights: number; norm: number }[] = [];
    for (const name of tensors ?? gradient.tensors.keys()) {
      const { data: slopes, dtype } = await gradient.read(name);
      layers.push({ name, weights: slopes.length, norm: NORMS[norm](toFloat64(slopes, dtype)) });
    }
    return { total: NORMS[norm](Float64Array.from(layers, (layer) => layer.norm)), layers };
  },
});

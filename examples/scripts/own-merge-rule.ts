// Merges by a rule of one's own: of two weights the larger counts. Nothing is computed before it is saved, range by range.
import assert from "node:assert/strict";
import {
  defineMergeMethod,
  fromFloat64Into,
  merge,
  openCheckpoint,
  saveCheckpoint,
  toFloat64,
} from "isthmus";

const larger = defineMergeMethod({
  name: "larger",
  description: "Takes the weight that is further from zero.",
  source: "an example, 2026",
  parameters: {},
  networks: { least: 2, most: 2, base: "none" },
  blendInto({ parts }, { dtype, data }) {
    const [x, y] = parts.map((part) => toFloat64(part.data, part.dtype)) as [Float64Array, Float64Array];
    const pick = (a: number, i: number) => (Math.abs(a) > Math.abs(y.at(i) ?? 0) ? a : (y.at(i) ?? 0));
    fromFloat64Into(x.map(pick), dtype, data);
  },
});
const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
const b = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
assert((await saveCheckpoint(merge([a, b], { method: larger }), "larger", { overwrite: true })).bytes > 1e6);

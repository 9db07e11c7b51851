// A merge rule of one's own: of two networks, each weight is the one that is larger. Ranges are computed when they are read.
import assert from "node:assert/strict";
import { defineMergeMethod, fromFloat64Into, merge, openCheckpoint, saveCheckpoint, toFloat64 } from "isthmus";

const larger = defineMergeMethod({
  name: "larger",
  description: "Takes the weight that is further from zero.",
  source: "this example, 2026",
  parameters: {},
  networks: { least: 2, most: 2, base: "none" },
  blendInto({ parts: [a, b] }, out) {
    if (a === undefined || b === undefined) return;
    const [x, y] = [toFloat64(a.data, a.dtype), toFloat64(b.data, b.dtype)];
    fromFloat64Into(x.map((value, i) => (Math.abs(value) >= Math.abs(y[i] ?? 0) ? value : (y[i] ?? 0))), out.dtype, out.data);
  },
});
const [a, b] = await Promise.all([0, 1].map((seed) => openCheckpoint(`examples/mnist-mlp/s${seed}.safetensors`)));
assert(a && b);
const { bytes } = await saveCheckpoint(merge([a, b], { method: larger }), "larger.safetensors", { overwrite: true });
assert(bytes > 1e6);

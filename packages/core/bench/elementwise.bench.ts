/**
 * Times the kernels on stored floats, in ns an element: SIMD with copies in and out, SIMD in memory lent by
 * `borrowScratch`, and the plain fallback.
 *
 *   npx tsx --conditions=@isthmus/source packages/core/bench/elementwise.bench.ts [--elements 65536] [--rounds 30]
 *
 * Standard output: one JSON object for each operation and element type. Standard error: a table. Arrays of the
 * default length stay in the second-level cache, as ranges do in a merge; longer ones measure the memory.
 */
import { parseArgs } from "node:util";
import { borrowScratch, createRandom, DTYPES, viewData } from "@isthmus/core";
import { floatKernels } from "../src/tensor/kernels/float-kernels.ts";
import type { FloatKernels, Floats } from "../src/tensor/kernels/floats.ts";
import { scalarKernels } from "../src/tensor/kernels/scalar-kernels.ts";

const { values } = parseArgs({
  options: { elements: { type: "string", default: "65536" }, rounds: { type: "string", default: "30" } },
});
const elements = Number(values.elements);
const rounds = Number(values.rounds);

/** Time of one round: long enough for the clock, short enough for the machine to leave us alone now and then. */
const ROUND_MS = 10;
/** WebAssembly is compiled twice, the second time while it runs. */
const WARM_UP_MS = 100;

const TYPES = ["f32", "f16", "bf16", "f8e4m3", "f8e5m2"] as const;

type Allocate = (bytes: number) => Uint8Array;

/** Weights as they are in networks: normal, of standard deviation 0.02. */
function weights(dtype: Floats["dtype"], seed: number, allocate: Allocate): Floats {
  const random = createRandom(seed, "elementwise");
  const data = Float32Array.from({ length: elements }, () => 0.02 * random.normal());
  const bytes = allocate(elements * DTYPES[dtype].bytes);
  const stored: Floats = { dtype, data: viewData(dtype, bytes) as Floats["data"] };
  floatKernels().convert({ dtype: "f32", data }, stored);
  return stored;
}

/** Median and 90th percentile of rounds, in ns an element. */
function time(run: () => void): { median: number; p90: number } {
  const warm = performance.now() + WARM_UP_MS;
  let repeats = 0;
  const start = performance.now();
  while (performance.now() < warm) {
    run();
    repeats++;
  }
  repeats = Math.max(1, Math.round((repeats * ROUND_MS) / (performance.now() - start)));
  const times = Array.from({ length: rounds }, () => {
    const begin = performance.now();
    for (let i = 0; i < repeats; i++) run();
    return ((performance.now() - begin) * 1e6) / repeats / elements;
  }).sort((a, b) => a - b);
  return { median: times[rounds >> 1]!, p90: times[Math.floor(rounds * 0.9)]! };
}

function operations(
  kernels: FloatKernels,
  dtype: Floats["dtype"],
  allocate: Allocate,
): Record<string, () => void> {
  const a = weights(dtype, 1, allocate);
  const b = weights(dtype, 2, allocate);
  const out = weights(dtype, 3, allocate);
  const wide = weights("f32", 4, allocate);
  const shares = Float32Array.of(0.3, 0.7);
  return {
    lerp: () => kernels.step(a, b, 0.3, out),
    blend: () => kernels.blend([a, b], shares, out),
    "to f32": () => kernels.convert(a, wide),
    "from f32": () => kernels.convert(wide, out),
    dot: () => void kernels.dot(a, b),
    findNonFinite: () => void kernels.findNonFinite(a),
  };
}

const plain: Allocate = (bytes) => new Uint8Array(bytes);
const lent: Allocate = (bytes) => borrowScratch(bytes).bytes;
const table: Record<string, Record<string, string>> = {};
for (const dtype of TYPES) {
  const variants = {
    simd: operations(floatKernels(), dtype, plain),
    "simd, lent memory": operations(floatKernels(), dtype, lent),
    plain: operations(scalarKernels, dtype, plain),
  };
  for (const [variant, all] of Object.entries(variants)) {
    for (const [operation, run] of Object.entries(all)) {
      const { median, p90 } = time(run);
      console.log(JSON.stringify({ operation, dtype, variant, elements, nsPerElement: median, p90 }));
      const row = `${operation} ${dtype}`;
      table[row] = { ...table[row], [variant]: `${median.toFixed(2)} (${p90.toFixed(2)})` };
    }
  }
}
console.error("ns an element, median (90th percentile):");
const names = Object.keys(Object.values(table)[0] ?? {});
console.error(["".padEnd(22), ...names.map((name) => name.padEnd(20))].join(""));
for (const [row, cells] of Object.entries(table)) {
  console.error([row.padEnd(22), ...names.map((name) => (cells[name] ?? "").padEnd(20))].join(""));
}

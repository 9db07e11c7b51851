/**
 * Watches the memory of a process that trains for many steps: it must level off.
 *
 *   node --expose-gc --import tsx --conditions=@isthmus/source packages/training/bench/memory.bench.ts
 *
 * Options: --net NAME, --steps N, --every N (steps between two readings), --batch N.
 * Standard error: a line for each reading. Standard output: one JSON object; `growth` is the highest reading of each kind in the
 * second half over that in the first. Ends with 1 where it is above 1.1.
 */
import { parseArgs } from "node:util";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { train } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";

const { values: options } = parseArgs({
  options: {
    net: { type: "string", default: "mlp:128x2:drop0.1" },
    data: { type: "string", default: "mnist:train" },
    steps: { type: "string", default: "5000" },
    every: { type: "string", default: "500" },
    batch: { type: "string", default: "64" },
  },
});
const [steps, every, batch] = [Number(options.steps), Number(options.every), Number(options.batch)];

/** Readings in megabytes. */
interface Reading {
  readonly step: number;
  readonly rss: number;
  readonly external: number;
  readonly heap: number;
}

const readings: Reading[] = [];
const data = await openDataSet(options.data);
const network = parseNetwork(options.net, data);
await train({ graph: network.graph, engine: createOnnxRuntimeEngine() }, network.initialize(0), data, {
  seed: 0,
  epochs: Math.ceil((steps * batch) / data.size),
  batch,
  augment: { crop: 2, flip: true },
  optimizer: { kind: "adam" },
  schedule: { kind: "constant", learningRate: 1e-4 },
  onProgress: ({ step }) => {
    if (step % every !== 0) return;
    globalThis.gc?.();
    const { rss, external, heapUsed } = process.memoryUsage();
    const reading = { step, rss: rss / 1e6, external: external / 1e6, heap: heapUsed / 1e6 };
    readings.push(reading);
    console.error(
      `step ${step}: rss ${reading.rss.toFixed(1)} MB, external ${reading.external.toFixed(1)}, heap ${reading.heap.toFixed(1)}`,
    );
  },
});
const half = readings.length >> 1;
const peak = (part: readonly Reading[], kind: keyof Reading) =>
  Math.max(...part.map((reading) => reading[kind]));
const growthOf = (kind: keyof Reading) =>
  peak(readings.slice(half), kind) / peak(readings.slice(0, half), kind);
const growth = { rss: growthOf("rss"), external: growthOf("external"), heap: growthOf("heap") };
console.log(JSON.stringify({ net: network.spec, steps, growth, readings }));
process.exitCode = Math.max(...Object.values(growth)) > 1.1 ? 1 : 0;

// Merges two checkpoints of the size and names of Stable Diffusion XL by blocks, and prints time, processor seconds and peak memory beside
// `cat A B > out` in turns. The command is run from dist/, so build first; memory of caches does not count.
//
//   npx tsx --conditions=@isthmus/source tools/bench/diffusion-merge.ts FOLDER [--channels 320] [--rounds 3] [--keep]
//
// FOLDER gets two checkpoints of seeded numbers in f16 (2 x 6.9 GB), and at most 13.9 GB more at a time; all but the results are deleted
// unless --keep is given. --channels 64 makes a U-Net of a twenty-fifth of the size, with text encoders of a fifth.
import { spawnSync } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import {
  allocateData,
  type Checkpoint,
  defineCheckpoint,
  fromFloat64Into,
  saveCheckpoint,
} from "@isthmus/core";
import { listSdxlShapes, SDXL_SIZES } from "./sdxl-shapes.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    channels: { type: "string", default: "320" },
    rounds: { type: "string", default: "3" },
    keep: { type: "boolean", default: false },
  },
});
const [named] = positionals;
if (named === undefined) {
  console.error("usage: diffusion-merge.ts FOLDER [--channels 320] [--rounds 3] [--keep]");
  process.exit(2);
}
const folder = resolve(named);

const MASK = 2 ** 16 - 1;

/** A normal number of standard deviation 1 for each of 2^16 places, by the method of Box and Muller over a grid. */
function normalAt(place: number): number {
  const [u, v] = [((place & 255) + 0.5) / 256, ((place >> 8) + 0.5) / 256];
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
}

/** A hash of a counter: Murmur's finalizer. */
function mix(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Makes a model; `change` is how far its weights are from those of the model without change, of size 1. */
function makeModel(change: number): Checkpoint {
  const numbers = Float64Array.from(
    { length: MASK + 1 },
    (_, i) => 0.02 * (normalAt(i) + change * normalAt(mix(i) & MASK)),
  );
  const table = fromFloat64Into(numbers, "f16", allocateData("f16", numbers.length));
  const channels = Number(values.channels);
  const sizes =
    channels === SDXL_SIZES.channels
      ? SDXL_SIZES
      : { ...SDXL_SIZES, channels, textWidth: 192, secondTextWidth: 256 };
  const shapes = [...listSdxlShapes(sizes)];
  const keys = new Map(shapes.map(([name], i) => [name, mix(i + 1)]));
  return defineCheckpoint({
    source: "random weights",
    tensors: new Map(shapes.map(([name, shape]) => [name, { dtype: "f16", shape }])),
    metadata: { format: "pt" },
    async readInto(name, begin, out) {
      const key = keys.get(name) ?? 0;
      for (let i = 0; i < out.length; i++) out[i] = table[mix((begin + i) ^ key) & MASK] as never;
    },
  });
}

/** What a run of a command took. */
interface Run {
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly peakMB: number;
}

/** Runs a command of node, whose main thread writes what the process used when it ends. */
async function runNode(args: readonly string[]): Promise<Run> {
  const used = join(folder, "used.json");
  const script = `import { isMainThread } from "node:worker_threads"; import { writeFileSync } from "node:fs";
if (isMainThread) process.on("exit", () => writeFileSync(${JSON.stringify(used)}, JSON.stringify(process.resourceUsage())));`;
  const preload = `data:text/javascript,${encodeURIComponent(script)}`;
  const begin = performance.now();
  const { status } = spawnSync(process.execPath, ["--import", preload, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const seconds = (performance.now() - begin) / 1000;
  if (status !== 0) throw new Error(`"${args.join(" ")}" failed`);
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(
    await readFile(used, "utf8"),
  ) as NodeJS.ResourceUsage;
  return { seconds, processorSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMB: maxRSS / 1024 };
}

/** Runs a line of the shell, which prints the times of its children last. */
function runShell(line: string): Run {
  const begin = performance.now();
  const { status, stdout } = spawnSync("bash", ["-c", `${line}; times`], { encoding: "utf8" });
  const seconds = (performance.now() - begin) / 1000;
  if (status !== 0) throw new Error(`"${line}" failed`);
  const times = [...(stdout.trim().split("\n").at(-1) ?? "").matchAll(/(\d+)m([\d.]+)s/g)];
  const processorSeconds = times.reduce(
    (sum, [, minutes, rest]) => sum + 60 * Number(minutes) + Number(rest),
    0,
  );
  return { seconds, processorSeconds, peakMB: Number.NaN };
}

await mkdir(folder, { recursive: true });
const [a, b, recipe, merged, joined] = [
  "a.safetensors",
  "b.safetensors",
  "recipe.yml",
  "merged.safetensors",
  "joined",
].map((name) => join(folder, name)) as [string, string, string, string, string];
for (const [path, change] of [
  [a, 0],
  [b, 0.1],
] as const)
  await saveCheckpoint(makeModel(change), path, { overwrite: true });

const weights = Array.from({ length: 20 }, (_, i) => (i / 19).toFixed(4));
await writeFile(
  recipe,
  `merge_method: task_arithmetic # A + w (B - A)
base_model: ${JSON.stringify(a)}
models: [{ model: ${JSON.stringify(b)} }]
parameters:
  weight: { blocks: sdxl, value: "${weights.join(",")}" }
`,
);

const command = [
  join(import.meta.dirname, "../../packages/cli/bin/isthmus.js"),
  "merge",
  recipe,
  "-o",
  merged,
];
for (let round = 1; round <= Number(values.rounds); round++) {
  const rows: Record<string, Run> = { "cat A B > out": runShell(`cat '${a}' '${b}' > '${joined}'`) };
  await rm(joined);
  rows["isthmus merge"] = await runNode(command);
  rows["isthmus merge --no-check"] = await runNode([...command, "--no-check", "--restart"]);
  for (const [name, { seconds, processorSeconds, peakMB }] of Object.entries(rows)) {
    const memory = Number.isNaN(peakMB) ? "" : `, ${Math.round(peakMB)} MB at most`;
    console.log(
      `round ${round}, ${name}: ${seconds.toFixed(1)} s, ${processorSeconds.toFixed(1)} s of processors${memory}`,
    );
  }
  console.log(`load ${loadavg()[0]?.toFixed(1)}`);
}
if (!values.keep)
  for (const path of [a, b, recipe, merged, join(folder, "used.json")]) await rm(path, { force: true });

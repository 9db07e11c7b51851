// Kills processes at random moments while they save merges, and lets others go on, until one comes to its end: the bytes must be the
// bytes of a merge that nobody killed, and nothing may have the final name before. The packages must be built.
//
//   npx tsx --conditions=@isthmus/source tools/kill-merges.ts [--kills 10] [--methods linear,slerp] [--seed 1] [--mb 64] [--threads 2]
//
// Only kills that hit after a piece was finished, and before the end, count. Prints a line of JSON for each method, and ends with 1 if
// any result was wrong.
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import {
  allocateData,
  type Checkpoint,
  createRandom,
  defineCheckpoint,
  entry,
  fromFloat64Into,
  saveCheckpoint,
  UsageError,
} from "@isthmus/core";
import { MERGE_METHODS } from "@isthmus/merging";
import { runMergeChild, startMergeChild } from "../packages/merging/test/run-merge-child.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "10" },
    methods: { type: "string", default: "linear,slerp" },
    seed: { type: "string", default: "1" },
    mb: { type: "string", default: "64" },
    threads: { type: "string", default: "2" },
  },
});
const folder = mkdtempSync(join(tmpdir(), "isthmus-kill-merges-"));
const path = (name: string): string => join(folder, name);
const options = {
  threads: Number(values.threads),
  pieceBytes: 2 ** 20,
  maxShardBytes: Number(values.mb) * 4e5,
};
const NAMES = ["a", "b", "base"];

/** Describes a network of random numbers in bf16: a few matrices that make its size, and small vectors. */
function createNetwork(name: string): Checkpoint {
  const random = createRandom(Number(values.seed), name);
  const table = fromFloat64Into(
    Float64Array.from({ length: 2 ** 16 }, () => random.normal()),
    "bf16",
    allocateData("bf16", 2 ** 16),
  );
  const rows = Math.ceil((Number(values.mb) * 1e6) / 2 / 6 / 1024);
  const shapes = Array.from({ length: 6 }, (_, i) => [
    [`layers.${i}.weight`, [rows, 1024]] as const,
    [`layers.${i}.bias`, [1024]] as const,
  ]).flat();
  return defineCheckpoint({
    source: name,
    tensors: new Map(shapes.map(([tensor, shape]) => [tensor, { dtype: "bf16", shape }])),
    async readInto(tensor, begin, out) {
      const shift = begin + tensor.length * 7919;
      for (let i = 0; i < out.length; i++) out[i] = table[(shift + i * 31) & (2 ** 16 - 1)] as never;
    },
  });
}

/** Kills a merge again and again, and returns how often it was hit and whether the result was right. */
async function killMerge(
  method: string,
): Promise<{ hits: number; missed: number; wrong: number; finished: number }> {
  const networks = [path("a.safetensors"), path("b.safetensors")];
  const { networks: rule, parameters } = entry(MERGE_METHODS, method, "method");
  const base = rule.base === "required" ? { base: path("base.safetensors") } : {};
  const settings = Object.entries({ weight: 0.5, density: 0.5, t: 0.5 }).filter(
    ([name]) => name in parameters,
  );
  const merge = { networks, method, ...base, parameters: Object.fromEntries(settings) };
  const random = createRandom(Number(values.seed), method);
  const whole = path(`${method}-whole`);
  const began = performance.now();
  const [reply] = await runMergeChild({ merge, path: whole, options });
  if (reply.error !== undefined) throw new Error(reply.error);
  let span = performance.now() - began;
  const target = path(method);
  const counts = { hits: 0, missed: 0, wrong: 0, finished: 0 };
  const check = (): void => {
    counts.finished++;
    if (!isSame(whole, target)) counts.wrong++;
    rmSync(target, { recursive: true });
  };
  while (counts.hits < Number(values.kills)) {
    const child = startMergeChild({ merge, path: target, options });
    const before = countPieces(target);
    // From the first piece on, at a share of the time that the rest takes.
    while (countPieces(target) === before && child.exitCode === null) await setTimeout(1);
    await setTimeout(random.uniform() * span * 0.2);
    const isKilled = child.exitCode === null && child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    if (isKilled && !isComplete(target)) counts.hits++;
    else {
      counts.missed++;
      span *= 0.9;
    }
    if (isComplete(target)) check();
  }
  await runMergeChild({ merge, path: target, options });
  check();
  return counts;
}

/** Counts the pieces that a journal names as finished; 0 where there is none. */
function countPieces(target: string): number {
  const journal = join(target, ".model.unfinished", "journal.jsonl");
  return existsSync(journal) ? readFileSync(journal, "utf8").split("\n").length - 2 : 0;
}

/** Returns whether a merge came to its end: its index is there, and its hidden folder is gone. */
function isComplete(target: string): boolean {
  return (
    existsSync(join(target, "model.safetensors.index.json")) && !existsSync(join(target, ".model.unfinished"))
  );
}

function isSame(expected: string, actual: string): boolean {
  const names = readdirSync(expected);
  if (readdirSync(actual).join() !== names.join()) return false;
  return names.every((name) => readFileSync(join(expected, name)).equals(readFileSync(join(actual, name))));
}

let wrong = 0;
try {
  for (const name of NAMES) await saveCheckpoint(createNetwork(name), path(`${name}.safetensors`));
  for (const method of values.methods.split(",")) {
    if (!MERGE_METHODS.has(method)) throw new UsageError(`there is no method "${method}"`);
    const counts = await killMerge(method);
    wrong += counts.wrong;
    console.log(JSON.stringify({ method, ...counts }));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = wrong === 0 ? 0 : 1;

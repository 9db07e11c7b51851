// Runs a study and a merge by threads of one process, and on two workers of each sort of queue, on this machine: the bytes must be the
// same, and the difference in time is what the way through the queue costs.
//
//   npx tsx --conditions=@isthmus/source tools/bench/cluster.ts [--study mnist-width] [--only width=64] [--gb 4] [--queues folder,redis,postgres]
//
// It runs the built program (npm run build), on an otherwise idle machine; files are in the folder for temporary files, three times --gb and
// once more for each result. --study "" and --gb 0 leave out one of both. Prints a line of JSON for each run.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createCheckpoint, createRandom, createTensor, digestFile, saveCheckpoint } from "@isthmus/core";
import { digestTree } from "../cluster/digest-tree.ts";
import { runCommand, startCommand } from "../cluster/program.ts";
import { type QueueSort, queueSort, startQueue } from "../cluster/queue-servers.ts";

const { values } = parseArgs({
  options: {
    study: { type: "string", default: "mnist-width" },
    only: { type: "string", multiple: true, default: [] },
    gb: { type: "string", default: "4" },
    queues: { type: "string", default: "folder,redis,postgres" },
    repeat: { type: "string", default: "1" },
  },
});
const folder = mkdtempSync(join(tmpdir(), "isthmus-bench-cluster-"));
const WORKERS = 2;
const sorts = values.queues.split(",").map(queueSort);

/** A piece of work that a command does, into an output, and the digest of what it has made. */
interface Work {
  readonly name: string;
  readonly command: (output: string) => readonly string[];
  /** Options by which as many threads as workers do it. */
  readonly byThreads: readonly string[];
  readonly digest: (output: string) => Promise<string> | string;
}

try {
  const works = [
    ...(values.study === "" ? [] : [studyWork(values.study)]),
    ...(values.gb === "0" ? [] : [await mergeWork(Number(values.gb))]),
  ];
  for (const work of works) await compare(work);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function studyWork(study: string): Work {
  const only = values.only.flatMap((part) => ["--only", part]);
  return {
    name: [study, ...only].join(" "),
    command: (output) => ["study", study, "-o", output, "--quiet", ...only],
    byThreads: ["--workers", String(WORKERS)],
    digest: digestTree,
  };
}

/** Writes a base and two networks of bf16, each as many gigabytes as the result of their merge. */
async function mergeWork(gigabytes: number): Promise<Work> {
  const width = 4096;
  const layers = Math.max(1, Math.round((gigabytes * 1e9) / (2 * width * width)));
  for (const [seed, name] of ["base", "a", "b"].entries()) {
    const random = createRandom(seed, "weights");
    const block = Uint16Array.from(
      { length: width * width },
      () => 0x3c00 + Math.floor(512 * random.uniform()),
    );
    // Layers differ by where they begin in one block of numbers: drawing all of them would take minutes.
    const tensors = Array.from({ length: layers }, (_, layer) => {
      const data = new Uint16Array(block.length);
      const begin = (layer * 7919 * 64) % block.length;
      data.set(block.subarray(begin));
      data.set(block.subarray(0, begin), block.length - begin);
      return [`model.layers.${layer}.weight`, createTensor("bf16", [width, width], data)] as const;
    });
    await saveCheckpoint(createCheckpoint(new Map(tensors)), join(folder, `${name}.safetensors`));
  }
  const model = (name: string): string =>
    `  - { model: ${name}.safetensors, parameters: { weight: 1, density: 0.5 } }`;
  writeFileSync(
    join(folder, "ties.yml"),
    `merge_method: ties\nbase_model: base.safetensors\nmodels:\n${model("a")}\n${model("b")}\n`,
  );
  return {
    name: `ties, ${gigabytes} GB`,
    command: (output) => ["merge", "ties.yml", "-o", `${output}.safetensors`, "--no-check", "--quiet"],
    byThreads: ["--threads", String(WORKERS)],
    digest: (output) => digestFile(`${output}.safetensors`),
  };
}

async function compare(work: Work): Promise<void> {
  for (let round = 0; round < Number(values.repeat); round++) {
    const threads = await time(work, work.byThreads, join(folder, "threads"));
    print({ work: work.name, round, by: "threads", seconds: threads.seconds });
    for (const sort of sorts) {
      const run = await runOnWorkers(work, sort);
      if (run === undefined) continue;
      const extra = run.seconds - threads.seconds;
      print({
        ...{ work: work.name, round, by: sort, seconds: run.seconds, extra },
        ...{ ratio: run.seconds / threads.seconds, same: run.digest === threads.digest },
      });
    }
  }
}

async function runOnWorkers(work: Work, sort: QueueSort): Promise<Timed | undefined> {
  const queue = await startQueue(sort);
  if (queue === undefined) return undefined;
  const where = ["--queue", queue.address, "--storage", folder];
  const workers = Array.from({ length: WORKERS }, (_, number) =>
    startCommand(["worker", ...where, "--concurrency", "1", "--name", `worker-${number}`], { cwd: folder }),
  );
  try {
    while (!workers.every((worker) => worker.output().includes("serves"))) {
      await setTimeout(100);
    }
    return await time(work, where, join(folder, sort));
  } finally {
    for (const worker of workers) worker.signal("SIGTERM");
    await Promise.all(workers.map(({ ended }) => ended));
    await queue.stop();
  }
}

interface Timed {
  readonly seconds: number;
  readonly digest: string;
}

async function time(work: Work, how: readonly string[], output: string): Promise<Timed> {
  const began = performance.now();
  await runCommand([...work.command(output), ...how], folder);
  const seconds = (performance.now() - began) / 1000;
  const digest = await work.digest(output);
  rmSync(output, { recursive: true, force: true });
  rmSync(`${output}.safetensors`, { force: true });
  return { seconds, digest };
}

function print(line: object): void {
  console.log(
    JSON.stringify(line, (_, value) => (typeof value === "number" ? Number(value.toFixed(3)) : value)),
  );
}

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { saveCheckpoint } from "@isthmus/core";
import { encodeGraph } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import { encodeStripes } from "../../../test/helpers/encode-stripes.ts";
import { type CliRun, runAlone, runCli } from "../../../test/helpers/run-cli.ts";
import { stripes } from "../../../test/helpers/stripes.ts";

/** A folder that all machines of a test see. */
export interface ClusterFolder {
  readonly folder: string;
  /** Folder within it, with examples in `stripes.npz`, that commands run in. */
  readonly work: string;
  /** Options that name the queue, and the queue and the storage. */
  readonly queue: readonly string[];
  readonly where: readonly string[];
  /** Starts a worker as soon as there is a task; it ends when there is nothing more to do. */
  startWorker(name: string, ...more: string[]): Promise<CliRun>;
  /** Tells workers that nothing more is to do: by themselves they end some seconds after the last task. */
  stopWorkers(): void;
  remove(): void;
}

/** Makes a folder for the machines of a test; the queue in it is made by who uses it first. */
export function makeClusterFolder(): ClusterFolder {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-cli-cluster-"));
  const work = join(folder, "work");
  mkdirSync(work);
  writeFileSync(join(work, "stripes.npz"), encodeStripes());
  const path = join(folder, "queue");
  const queue = ["--queue", path];
  const where = [...queue, "--storage", folder];
  const workers = createStops();
  return {
    ...{ folder, work, queue, where },
    async startWorker(name, ...more) {
      const stop = workers.current();
      if (!more.includes("--idle")) await waitForTask(path, stop);
      const words = ["worker", ...where, "--name", name, "--concurrency", "1", "--idle", "4", ...more];
      // What --use adds stays in a process.
      return (more.includes("--use") ? runAlone : runCli)(words, { cwd: folder, stop });
    },
    stopWorkers: workers.stop,
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** Makes signals that stop commands: `stop` ends all commands that run now; later ones get a new signal. */
export function createStops(): { current(): AbortSignal; stop(): void } {
  let controller = new AbortController();
  return {
    current: () => controller.signal,
    stop() {
      controller.abort();
      controller = new AbortController();
    },
  };
}

/** How often {@link waitForTask} looks, and how long it waits in between, in milliseconds. */
const [LOOKS, PAUSE] = [3000, 20];

/**
 * Waits until a task is in a queue, or a minute: a worker that starts before may have ended again by then, on a busy machine.
 *
 * @param queue - folder of the queue
 * @param stop - ends the wait, as no task will come
 */
export async function waitForTask(queue: string, stop: AbortSignal): Promise<void> {
  const waiting = join(queue, "waiting");
  const hasTask = () =>
    existsSync(waiting) &&
    readdirSync(waiting, { recursive: true, withFileTypes: true }).some((file) => file.isFile());
  for (let looks = 0; looks < LOOKS && !stop.aborted && !hasTask(); looks++) await setTimeout(PAUSE);
}

/** Writes a graph as `model.onnx`, and a network `net-0.safetensors`, `net-1.safetensors`... for each seed. */
export async function writeNetworks(work: string, seeds: readonly number[]): Promise<void> {
  const { graph, initialize } = parseNetwork("mlp:6", stripes(100));
  writeFileSync(join(work, "model.onnx"), encodeGraph(graph));
  for (const [index, seed] of seeds.entries()) {
    await saveCheckpoint(initialize(seed), join(work, `net-${index}.safetensors`));
  }
}

/** Counts the tasks that workers say they did; NaN if one says that tasks failed or were given back. */
export function countDone(workers: readonly CliRun[]): number {
  const done = workers.map(({ stdout }) => Number(/(\d+) done, 0 failed, 0 given back/.exec(stdout)?.[1]));
  return done.reduce((sum, one) => sum + one, 0);
}

/** Leaves out how bytes are fed, and the note of a waiting command if workers start late, as on a busy machine. */
export function withoutNote(stderr: string): string {
  return stderr.replaceAll(/^(No worker serves|Bytes of) .*\n/gm, "");
}

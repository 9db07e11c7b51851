import { fork } from "node:child_process";
import { cpSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Finding, Tally } from "./watch-inputs.ts";
import type { WorkerMessage } from "./worker.ts";

/** Without a sign of life for so long, in milliseconds, an input is taken to be read for ever. */
const PATIENCE_MS = 120_000;
const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));
const NODE_OPTIONS = ["--expose-gc", "--import", "tsx", "--conditions=@isthmus/source", "--no-warnings"];

/** What became of a target; without a tally it crashed, or did not end. */
export interface Outcome {
  readonly tally: Tally | undefined;
  readonly findings: readonly Finding[];
  readonly seconds: number;
}

/** What a run of a target is told. */
export interface TargetRun {
  readonly name: string;
  readonly seed: number;
  readonly count: number;
  /** Folder in which the files of failing inputs are kept. */
  readonly failures: string;
}

/**
 * Reads the inputs of a target in a process of its own, to their end or until it crashes or tells nothing of
 * itself any more.
 */
export function runTarget({ name, seed, count, failures }: TargetRun): Promise<Outcome> {
  // In memory where there is such a place, as every input is written.
  const path = join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), `isthmus-fuzz-${process.pid}`);
  const began = performance.now();
  const findings: Finding[] = [];
  let tally: Tally | undefined;
  let input = 0;
  const worker = fork(WORKER, [name, String(seed), String(count), path, failures], {
    execArgv: NODE_OPTIONS,
    stdio: ["ignore", "inherit", "pipe", "ipc"],
  });
  // Engines write of every graph that they cannot run; only the last words of a crash matter.
  let lastWords = "";
  worker.stderr?.setEncoding("utf8").on("data", (text: string) => {
    lastWords = (lastWords + text).slice(-2000);
  });
  const fail = (what: string): void => {
    findings.push({ what, input });
    if (existsSync(path))
      cpSync(path, join(failures, `${name.replace(" ", "-")}-${input}`), { recursive: true });
    worker.kill("SIGKILL");
  };
  const patience = setTimeout(() => fail("is read for ever"), PATIENCE_MS);
  worker.on("message", (message: WorkerMessage) => {
    patience.refresh();
    if (message.kind === "input") input = message.input;
    else if (message.kind === "end") tally = message.tally;
    else findings.push(message.finding);
  });
  return new Promise((resolve) => {
    worker.on("exit", (code, signal) => {
      clearTimeout(patience);
      if (tally === undefined && findings.length === 0) {
        console.error(lastWords);
        fail(`ends the process: ${signal ?? `exit code ${code}`}`);
      }
      resolve({ tally, findings, seconds: (performance.now() - began) / 1000 });
    });
  });
}

import { parentPort, workerData } from "node:worker_threads";
import { openDataSet } from "@isthmus/data";
import type { DataSet } from "@isthmus/graph";
import { runTask, type TaskAssignment } from "@isthmus/study";
import { createEngine } from "../options/engine-option.ts";
import { explainFailure } from "../terminal/explain-failure.ts";
import { holdExamples } from "./hold-examples.ts";
import { oneThreadEngine } from "./one-thread-engine.ts";
import type { FromWorker, StudyWorkerData, ToWorker } from "./study-messages.ts";

/** Milliseconds between two messages on progress. */
const PROGRESS_MS = 200;

const { engine: name } = workerData as StudyWorkerData;
const engine = oneThreadEngine(await createEngine(name));
const opened = new Map<string, Promise<DataSet>>();
let controller = new AbortController();

/** Opens examples once: many tasks are on the same. */
function openData(data: string, inputs: readonly string[] = []): Promise<DataSet> {
  const key = JSON.stringify([data, ...inputs]);
  const open = opened.get(key) ?? openDataSet(data, { inputs }).then(holdExamples);
  opened.set(key, open);
  return open;
}

const send = (message: FromWorker): void => parentPort?.postMessage(message);

async function run(assignment: TaskAssignment): Promise<void> {
  controller = new AbortController();
  let last = 0;
  const onProgress = (done: number): void => {
    const now = Date.now();
    if (now - last < PROGRESS_MS) return;
    last = now;
    send({ kind: "progress", done });
  };
  try {
    const { signal } = controller;
    send({ kind: "done", result: await runTask(assignment, { engine, openData }, { signal, onProgress }) });
  } catch (error) {
    send({ kind: "failed", ...(await explainFailure(error)) });
  }
}

parentPort?.on("message", (message: ToWorker) => {
  if (message.kind === "abort") controller.abort();
  else void run(message.assignment);
});

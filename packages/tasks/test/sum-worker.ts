import { workerData } from "node:worker_threads";
import { InputError, OutOfRangeError } from "@isthmus/core";
import { serveTasks } from "../src/workers/serve-tasks.ts";

/** Adds numbers to what a thread was started with, or 0; other numbers of it fail, end the thread, wait, or get signals. */
serveTasks(async ({ params }, { signal, onProgress }) => {
  const { of } = params as { readonly of: readonly number[] };
  const [first = 0] = of;
  onProgress(0.5);
  if (first === -1)
    throw new InputError("Cannot add as numbers must be positive: one is -1", { input: "of" });
  if (first === -2) throw new TypeError("a mistake");
  if (first === -3) process.exit(7);
  if (first === -4) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    signal.throwIfAborted();
  }
  if (first === -5) throw new OutOfRangeError("Cannot add as there must be few numbers: there are 9");
  if (first === -6) {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.kill(process.pid, name);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { sum: of.reduce((sum, number) => sum + number, (workerData ?? 0) as number) };
});

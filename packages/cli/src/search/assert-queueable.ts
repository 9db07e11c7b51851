import { UsageError } from "@isthmus/core";
import type { QueueOptions } from "../options/queue-options.ts";

/** Options of a search that decide whether workers of a queue can judge its merges. */
interface QueueableOptions extends Pick<QueueOptions, "queue"> {
  readonly evaluate?: string | undefined;
  readonly methods?: readonly string[] | undefined;
}

/**
 * Checks that merges of a search can be judged on the workers of a queue, if there is one.
 * @throws UsageError if they cannot
 */
export function assertQueueable({ queue, evaluate, methods = [] }: QueueableOptions): void {
  if (queue === undefined) return;
  const refuse = (rule: string): UsageError =>
    new UsageError(`Cannot judge merges on the workers of a queue as ${rule}`);
  if (evaluate !== undefined) {
    throw refuse(
      `the command of --evaluate is code of your own, which workers do not run: it is "${evaluate}"; judge by --data, or leave out --queue`,
    );
  }
  if (methods.length > 0)
    throw refuse("methods of your own are code, which workers do not run: leave out --methods, or --queue");
}

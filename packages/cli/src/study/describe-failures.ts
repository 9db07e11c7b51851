import type { TaskFailure } from "@isthmus/tasks";
import { explainFailure } from "../terminal/explain-failure.ts";
import type { Outcome } from "../verb.ts";
import { formatFailures } from "./format-study.ts";

/** A task that could not be begun. */
type Blocked = Pick<TaskFailure["task"], "key" | "label">;

/**
 * Describes the tasks that failed. The exit code is 2 if all of them failed by wrong input or usage, else 1.
 * @param what - noun for the tasks, such as `federations`
 */
export async function describeFailures(
  {
    failures,
    blocked,
    ran,
    kept,
  }: {
    readonly failures: readonly TaskFailure[];
    /** Tasks that could not be begun; missing if no task depends on another. */
    readonly blocked?: readonly Blocked[];
    readonly ran: number;
    readonly kept: number;
  },
  what: string,
): Promise<Outcome> {
  const explained = await Promise.all(
    failures.map(async ({ task: { key, label }, error }) => ({
      key,
      label,
      ...(await explainFailure(error)),
    })),
  );
  return {
    result: {
      failures: explained.map(({ key, label, message }) => ({ key, label, message })),
      ...(blocked && { blocked: blocked.map(({ key, label }) => ({ key, label })) }),
      ran,
      kept,
    },
    text: formatFailures(explained, { blocked: blocked ?? [], ran, kept }),
    failure: `${failures.length} of the ${what} failed`,
    exitCode: explained.every(({ exitCode }) => exitCode === 2) ? 2 : 1,
  };
}

import { createHash } from "node:crypto";
import { groupBy } from "@isthmus/core";
import { canonicalJson, type Task, type TaskKind } from "@isthmus/tasks";

/** Options of {@link formatTasks}. */
export interface FormatTasksOptions {
  /** Kinds of the tasks by name, which know their versions. */
  readonly kinds: { get(name: string): Pick<TaskKind, "version"> | undefined };
  /** Most tasks of a kind that are written out; a digest stands for the keys of the others. */
  readonly most: number;
}

/**
 * Writes tasks as a text to compare with an earlier one: their kinds with versions, and below each its tasks
 * with keys and labels, under the parameters that they share.
 */
export function formatTasks(tasks: readonly Task[], { kinds, most }: FormatTasksOptions): string {
  const byKind = groupBy(tasks, ({ kind }) => kind);
  const parts = [...byKind].map(([kind, ofKind]) => {
    const head = `# ${kind}, version ${kinds.get(kind)?.version}, ${ofKind.length} tasks`;
    const byParams = groupBy(ofKind.slice(0, most), ({ params }) => canonicalJson(params));
    const written = [...byParams].flatMap(([params, same]) => [
      params,
      ...same.map(({ key, label }) => `  ${key} ${label}`),
    ]);
    const others = ofKind.slice(most).map(({ key, label }) => `${key} ${label}\n`);
    const digest = createHash("sha256").update(others.join("")).digest("hex");
    return [head, ...written, ...(others.length === 0 ? [] : [`${others.length} others: ${digest}`])];
  });
  return `${parts.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

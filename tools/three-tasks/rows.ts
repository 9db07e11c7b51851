import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Tasks that the networks were fine-tuned on, by the names of their files. */
export const TASKS = ["mnist", "fashion", "animals"] as const;
export type Task = (typeof TASKS)[number];
export type Accuracies = Readonly<Record<Task, number>>;

/** A network that was measured on the test sets of all tasks: a line of a file of rows. */
export interface Row extends Accuracies {
  /** Name of a network that is no merge, of a method, or of a way of learning weights. */
  readonly name: string;
  /** Settings that were chosen among those tried, as `lambda 0.3`; empty if there is none. */
  readonly settings: string;
  /** Mean accuracy over the tasks. */
  readonly mean: number;
  /** Seconds of the processor, of all its cores, to choose settings or weights, and merge; null if the network is no merge. */
  readonly seconds: number | null;
}

/** Options that numbers depend on: the first line of a file of rows. */
type RowsOf = Readonly<Record<string, string>>;

/** Reads the options and the rows of a file; undefined if there is none. */
export async function readRows(
  path: string,
): Promise<{ readonly of: RowsOf; readonly rows: Row[] } | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const [first, ...lines] = text.split("\n").filter((line) => line.endsWith("}"));
  if (first === undefined) return undefined;
  return { of: JSON.parse(first) as RowsOf, rows: lines.map((line) => JSON.parse(line) as Row) };
}

/**
 * Opens a file of rows, one JSON line each. A run that was interrupted goes on: rows that the file holds are not made
 * again.
 * @throws Error if the file holds rows of other options
 */
export async function openRows(path: string, of: RowsOf) {
  await mkdir(dirname(path), { recursive: true });
  const earlier = await readRows(path);
  if (earlier === undefined) await appendFile(path, `${JSON.stringify(of)}\n`);
  else if (JSON.stringify(earlier.of) !== JSON.stringify(of))
    throw new Error(`${path} holds rows of ${JSON.stringify(earlier.of)}: remove it, or write elsewhere`);
  const rows = earlier?.rows ?? [];
  return {
    rows,
    async add(name: string, make: () => Promise<Omit<Row, "name" | "mean">>): Promise<void> {
      if (rows.some((row) => row.name === name)) return;
      const { settings, seconds, ...rest } = await make();
      const mean = meanOf(rest);
      const digits = (value: unknown) => (typeof value === "number" ? Number(value.toFixed(4)) : value);
      const numbers = Object.fromEntries(
        Object.entries({ ...rest, mean }).map(([key, of]) => [key, digits(of)]),
      );
      const row = { name, settings, ...numbers, seconds: seconds && Number(seconds.toFixed(1)) } as Row;
      rows.push(row);
      await appendFile(path, `${JSON.stringify(row)}\n`);
      console.log(JSON.stringify(row));
    },
  };
}

/** Returns the mean accuracy over all tasks. */
export function meanOf(accuracies: Accuracies): number {
  return TASKS.reduce((sum, task) => sum + accuracies[task] / TASKS.length, 0);
}

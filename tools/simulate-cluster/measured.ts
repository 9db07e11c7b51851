import { readFile } from "node:fs/promises";

/** A number that the simulation starts from, and where it comes from. */
export interface Quantity {
  readonly value: number;
  readonly unit: string;
  /** Whether this machine was measured, or somebody had to assume. */
  readonly source: "measured" | "assumed";
  /** How it was measured, or why it is assumed. */
  readonly how: string;
}

/** What tasks of one kind take that work on one architecture. */
export interface TaskCost {
  /** Number of tasks that were measured. */
  readonly count: number;
  /** Seconds of a round, and for each unit of its work: see `measuring/task-work.ts`. */
  readonly perRound: number;
  readonly perUnit: number;
  /** Standard deviation of the logarithm of times around that line. */
  readonly spread: number;
  /** Bytes of the files it writes, by the first word of their names. */
  readonly files: Readonly<Record<string, number>>;
}

/** The names of queues. */
export const QUEUES = ["redis", "postgres", "folder"] as const;
export type QueueName = (typeof QUEUES)[number];

/** What a queue takes. */
export type QueueQuantities = Readonly<Record<"latency" | "service" | "add" | "poll", Quantity>>;

/** All that the simulation starts from. */
export interface Measured {
  /** The machine and the day. */
  readonly machine: string;
  /** By kind and architecture, as `train mlp:64`. */
  readonly tasks: Readonly<Record<string, TaskCost>>;
  readonly queues: Readonly<Record<QueueName, QueueQuantities>>;
  /** Single numbers, by name. */
  readonly quantities: Readonly<Record<string, Quantity>>;
}

/** The file beside this one. */
export const MEASURED_FILE: URL = new URL("./measured.json", import.meta.url);

/** Reads what was measured. */
export async function readMeasured(file: URL | string = MEASURED_FILE): Promise<Measured> {
  return JSON.parse(await readFile(file, "utf8")) as Measured;
}

/** Returns the value of a quantity. */
export function numberOf({ quantities }: Measured, name: string): number {
  return mustFind(quantities, name, "quantity").value;
}

/** Returns what a kind of task takes on an architecture. */
export function costOf({ tasks }: Measured, kind: string, net: string): TaskCost {
  return mustFind(tasks, `${kind} ${net}`, "time of tasks");
}

/** Returns the entry of a name. */
export function mustFind<T>(entries: Readonly<Record<string, T>>, name: string, what: string): T {
  const entry = entries[name];
  if (entry !== undefined) return entry;
  throw new RangeError(
    `Cannot simulate as the ${what} "${name}" must be measured: there are ${Object.keys(entries).join(", ")}; run measure.ts`,
  );
}

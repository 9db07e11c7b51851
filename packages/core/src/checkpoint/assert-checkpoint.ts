import { UsageError } from "../errors.ts";
import type { Checkpoint } from "./checkpoint.ts";

/**
 * Checks that a value is a checkpoint. The check is for scripts without types, which often pass a promise
 * that was not awaited.
 *
 * @param attempt - name of the operation for the message, for example `interpolate`
 * @throws UsageError if the value is not a checkpoint
 */
export function assertCheckpoint(attempt: string, value: unknown): asserts value is Checkpoint {
  const candidate = value as Partial<Checkpoint> | null | undefined;
  if (candidate?.tensors instanceof Map && typeof candidate.readRangeInto === "function") return;
  const isPromise = typeof (value as Partial<Promise<unknown>> | null | undefined)?.then === "function";
  const got = isPromise
    ? "a promise; write await openCheckpoint(...)"
    : `${value === null ? "null" : typeof value}; open it with openCheckpoint(path)`;
  throw new UsageError(`Cannot ${attempt} as it needs a checkpoint: got ${got}`);
}

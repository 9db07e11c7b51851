import { UsageError } from "@isthmus/core";
import type { MeasurementEntry } from "@isthmus/findings";
import { listAddedMakers } from "../added-makers.ts";
import { keepMeasurement, listMeasurements } from "../measurements.ts";
import type { TakenNames } from "./taken-names.ts";

/**
 * Adds a measurement of one's own, which commands, studies, pages and tasks of this process then have.
 * @returns a function that removes the measurement again
 * @throws UsageError if its kind or its verb is taken
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { addMeasurement, defineMeasurement } from "isthmus";
 *
 * const entry = defineMeasurement({
 *   verb: "tensor-count",
 *   kind: "tensor-count",
 *   summary: "Count the tensors of a network",
 *   subject: "network",
 *   run: async ({ network }) => ({ tensors: network.tensors.size }),
 * });
 * const remove = addMeasurement(entry);
 * assert.throws(() => addMeasurement(entry), /there is "tensor-count" already/);
 * remove();
 * ```
 */
export function addMeasurement(
  entry: MeasurementEntry,
  { kinds = [], verbs = [] }: TakenNames = {},
): () => void {
  const others = listMeasurements();
  const makers = listAddedMakers().map(({ name }) => name);
  const taken = {
    kind: new Set([...others.map(({ kind }) => kind), ...makers, ...kinds]),
    verb: new Set([...others.map(({ verb }) => verb), ...makers, ...verbs]),
  };
  for (const name of ["kind", "verb"] as const) {
    if (!taken[name].has(entry[name])) continue;
    throw new UsageError(
      `Cannot add the measurement "${entry.kind}" as its ${name} must be new: there is "${entry[name]}" already; choose another ${name}`,
    );
  }
  return keepMeasurement(entry);
}

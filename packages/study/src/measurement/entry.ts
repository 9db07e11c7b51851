import type { AnyMeasurement, Measurement, SubjectName } from "@isthmus/findings";
import { batch } from "@isthmus/forms";
import type { BuiltInMeasurement } from "@isthmus/measurements";
import { z } from "zod";
import type { NetworkMeasurement } from "../description/network-measurement.ts";
import type { PathMeasurement } from "../description/path-measurements.ts";
import { NAMED_DATA, WHERE } from "../file/entry-fields.ts";
import { PAIR_SELECTION } from "../schema/pair-selection.ts";
import { shapeOfFields } from "../schema/zod-of-form.ts";

/** What an entry of a study says of its subjects, by their sort. */
interface Selections {
  readonly network: NetworkMeasurement;
  readonly pair: PathMeasurement;
  readonly "unlike-pair": Omit<PathMeasurement, "statisticsData">;
  readonly networks: NetworkMeasurement;
}

/** An entry of a study for a measurement: which subjects, which examples, and the options. */
export type EntryOf<M> =
  M extends Measurement<infer S, infer O, infer R>
    ? Selections[S] & Omit<O, "seed" | "batchSize"> & { readonly kind: R["kind"] }
    : never;

/** An entry of a study for a measurement of Isthmus itself. */
export type BuiltInEntry = {
  [K in BuiltInMeasurement["kind"]]: EntryOf<Extract<BuiltInMeasurement, { kind: K }>>;
}[BuiltInMeasurement["kind"]];

/** Any entry of a measurement, with its options as further keys. */
export type AnyEntry = (NetworkMeasurement | PathMeasurement) & { readonly kind: string };

const pairs = { ...PAIR_SELECTION, data: NAMED_DATA };
const { statisticsData: _, ...unlikePairs } = pairs;

const single = { of: z.string(), where: WHERE.optional(), data: NAMED_DATA, batchSize: batch.optional() };

/** What an entry says of its subjects, by their sort; the rest are options. */
export const SELECTION_SHAPES: Readonly<Record<SubjectName, z.ZodRawShape>> = {
  network: single,
  networks: single,
  pair: pairs,
  "unlike-pair": unlikePairs,
};

/** Makes the schema of the entries of a measurement. */
export function entrySchemaOf({ kind, subject, options, examplesBeside = {} }: AnyMeasurement): z.ZodObject {
  const chosen = Object.entries(options).filter(
    ([name, { tasksOnly }]) => name !== "seed" && name !== "batchSize" && !tasksOnly,
  );
  const beside = Object.entries(examplesBeside).map(([name, { default: missing }]) => {
    return [name, missing === undefined ? NAMED_DATA.optional() : NAMED_DATA] as const;
  });
  return z.strictObject({
    kind: z.literal(kind),
    ...SELECTION_SHAPES[subject],
    ...("statistics" in options && { statisticsData: NAMED_DATA.optional() }),
    ...Object.fromEntries(beside),
    ...shapeOfFields(Object.fromEntries(chosen)),
  });
}

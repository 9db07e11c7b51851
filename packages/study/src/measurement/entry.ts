import type { AnyMeasurement, Measurement } from "@isthmus/findings";
import type { BuiltInMeasurement } from "@isthmus/measurements";
import { z } from "zod";
import { NAMED_DATA } from "../file/entry-fields.ts";
import { MEASURED_LOSS, type MeasuredLoss } from "../schema/measured-loss.ts";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import { type Selections, subjectFormOf } from "./subject-forms.ts";

/** An entry of a study for a measurement: which subjects, which examples, and the options. */
export type EntryOf<M> =
  M extends Measurement<infer S, infer O, infer R>
    ? S extends keyof Selections
      ? Selections[S] & MeasuredLoss & Omit<O, "seed" | "batchSize"> & { readonly kind: R["kind"] }
      : never
    : never;

/** An entry of a study for a measurement of Isthmus itself. */
export type BuiltInEntry = {
  [K in BuiltInMeasurement["kind"]]: EntryOf<Extract<BuiltInMeasurement, { kind: K }>>;
}[BuiltInMeasurement["kind"]];

/** Makes the schema of the entries of a measurement. */
export function entrySchemaOf(measurement: AnyMeasurement): z.ZodObject {
  const { kind, options, examplesBeside = {} } = measurement;
  const chosen = Object.entries(options).filter(([name, { tasksOnly }]) => name !== "seed" && !tasksOnly);
  const beside = Object.entries(examplesBeside).map(([name, { default: missing }]) => {
    return [name, missing === undefined ? NAMED_DATA.optional() : NAMED_DATA] as const;
  });
  return z.strictObject({
    kind: z.literal(kind),
    ...subjectFormOf(measurement).selection,
    ...MEASURED_LOSS,
    ...("statistics" in options && { statisticsData: NAMED_DATA.optional() }),
    ...Object.fromEntries(beside),
    ...shapeOfFields(Object.fromEntries(chosen)),
  });
}

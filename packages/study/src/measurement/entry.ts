import type { AnyMeasurement, DescribesTraining, Measurement, Trains } from "@isthmus/findings";
import type { BuiltInMeasurement } from "@isthmus/measurements";
import * as z from "zod";
import { NAMED_DATA } from "../file/entry-fields.ts";
import { MEASURED_LOSS, type MeasuredLoss } from "../schema/measured-loss.ts";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import { seedOf } from "./entry-params.ts";
import { type Selections, SUBJECT_FORMS } from "./subject-forms.ts";
import { trainingSelection } from "./subjects/training.ts";

/** The loss that networks are measured by, unless the measurement trains: then its options have the loss. */
type LossOf<M> = M extends { readonly trains: Trains } ? object : MeasuredLoss;

/** An entry of a study for a measurement: its subjects, its examples and its options. */
export type EntryOf<M> =
  M extends Measurement<infer S, infer O, infer R>
    ? S extends "training"
      ? EntryOfTraining<M, O> & { /** Kind of the measurement. */ readonly kind: R["kind"] }
      : Selections[S] & LossOf<M> & Omit<O, "seed" | "batchSize"> & { readonly kind: R["kind"] }
    : never;

/** An entry of a study for a measurement that trains networks itself: its examples and its options. */
type EntryOfTraining<M, O> =
  M extends DescribesTraining<infer Trained, infer Measured, infer Seed>
    ? Selections["training"] & Readonly<Record<Trained | Measured, string>> & Omit<O, Seed>
    : never;

/** An entry of a study for a measurement of Isthmus itself. */
export type BuiltInEntry = {
  [K in BuiltInMeasurement["kind"]]: EntryOf<Extract<BuiltInMeasurement, { /** Kind looked up. */ kind: K }>>;
}[BuiltInMeasurement["kind"]];

/** Makes the schema of the entries of a measurement. */
export function entrySchemaOf(measurement: AnyMeasurement): z.ZodObject {
  const { kind, options, examplesBeside = {}, trains, training } = measurement;
  const { selection, isOfWeights } = SUBJECT_FORMS[measurement.subject];
  const seed = seedOf(measurement);
  const chosen = Object.entries(options).filter(([name, { tasksOnly }]) => name !== seed && !tasksOnly);
  const beside = Object.entries(examplesBeside).map(([name, { default: missing }]) => {
    return [name, missing === undefined ? NAMED_DATA.optional() : NAMED_DATA] as const;
  });
  return z.strictObject({
    kind: z.literal(kind),
    ...selection,
    ...(trains === undefined && !isOfWeights && MEASURED_LOSS),
    ...(training && trainingSelection(training)),
    ...("statistics" in options && !isOfWeights && { statisticsData: NAMED_DATA.optional() }),
    ...Object.fromEntries(beside),
    ...shapeOfFields(Object.fromEntries(chosen)),
  });
}

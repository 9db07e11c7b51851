import { BARRIER } from "@isthmus/barrier";
import { PAIR_IMAGES_FIELDS } from "@isthmus/data";
import { PARETO_FIELDS } from "@isthmus/ensemble";
import { batch, count, repeats, schemaOf, seed, tries } from "@isthmus/forms";
import { loadMeasurements } from "@isthmus/measurements";
import { STATISTICS_POLICIES, type StatisticsPolicy } from "@isthmus/statistics";
import { LOSS, OPTIMIZER, SCHEDULE } from "@isthmus/training/forms";
import { z } from "zod";
import { LABEL_CHOICES } from "../description/dimension-measurement.ts";
import { MANY_CHOICES, type MergeMeasurement } from "../description/merge-measurement.ts";
import type { CurveMeasurement } from "../description/path-measurements.ts";
import { entrySchemaOf } from "../measurement/entry.ts";
import { isStudied } from "../measurement/subject-forms.ts";
import { DIMENSION_SHAPE } from "../schema/dimension-fields.ts";
import { CURVE_FIELDS } from "../schema/dropout-fields.ts";
import { MEASURED_LOSS } from "../schema/measured-loss.ts";
import { PAIR_SELECTION } from "../schema/pair-selection.ts";
import { shapeOfFields, zodOfForm } from "../schema/zod-of-form.ts";
import { NAMED_DATA, WHERE } from "./entry-fields.ts";

/** A measurement, as a file describes it: with a policy by name, or none, which means `auto`. */
type FileMeasurement = FileOf<MergeMeasurement> | CurveMeasurement;
type FileOf<M extends { readonly statistics?: unknown }> = Omit<M, "statistics"> & {
  readonly statistics?: StatisticsPolicy;
};

/** Which pairs of networks, and on which examples. */
const selected = { ...PAIR_SELECTION, data: NAMED_DATA };

/** Schemas of measurements that have no definition yet, with values in place of variables. */
const WRITTEN_OUT: z.ZodType = schemaOf<FileMeasurement>()(
  z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("merge"),
      ...MEASURED_LOSS,
      of: z.string(),
      across: z.string().optional(),
      where: WHERE.optional(),
      count: count(1).optional(),
      many: z.enum(MANY_CHOICES),
      references: count(1).optional(),
      restarts: tries(1).optional(),
      data: NAMED_DATA,
      statistics: z.enum(STATISTICS_POLICIES).optional(),
      statisticsData: NAMED_DATA.optional(),
      batchSize: batch.optional(),
    }),
    z.strictObject({
      kind: z.literal("curve"),
      ...selected,
      curve: CURVE_FIELDS.curve.optional(),
      bends: CURVE_FIELDS.bends.optional(),
      points: CURVE_FIELDS.points.optional(),
      statistics: CURVE_FIELDS.statistics.optional(),
      trainOn: NAMED_DATA,
      epochs: repeats(1),
      batch: batch.optional(),
      loss: LOSS.optional(),
      optimizer: OPTIMIZER.optional(),
      schedule: SCHEDULE.optional(),
    }),
  ]),
);

/** Schema of fronts of several tasks, whose options are fields. */
const FRONTS: z.ZodObject = z.strictObject({
  kind: z.literal("pareto"),
  net: z.string(),
  data: NAMED_DATA,
  testData: NAMED_DATA,
  layout: zodOfForm(PAIR_IMAGES_FIELDS.layout.form).optional(),
  seed,
  epochs: repeats(1),
  batch: batch.optional(),
  optimizer: OPTIMIZER.optional(),
  schedule: SCHEDULE.optional(),
  ...shapeOfFields(PARETO_FIELDS),
});

/** Schema of intrinsic dimensions, whose searches are fields. */
const DIMENSIONS: z.ZodObject = z.strictObject({
  kind: z.literal("intrinsic-dimension"),
  net: z.string(),
  trainOn: NAMED_DATA,
  data: NAMED_DATA,
  labels: z.enum(LABEL_CHOICES).optional(),
  ...DIMENSION_SHAPE,
});

/** Makes the schemas of all measurements, with values in place of their variables. */
export async function loadMeasurementSchemas(): Promise<readonly z.ZodObject[]> {
  const defined = [BARRIER, ...(await loadMeasurements()).filter(isStudied)].map(entrySchemaOf);
  const written = WRITTEN_OUT as z.ZodDiscriminatedUnion<z.ZodObject[]>;
  return [FRONTS, DIMENSIONS, ...defined, ...written.options];
}

/** Makes the schema of any measurement, with values in place of its variables. */
export async function loadMeasurementSchema(): Promise<z.ZodType> {
  const [first = FRONTS, ...others] = await loadMeasurementSchemas();
  return z.discriminatedUnion("kind", [first, ...others]);
}

import { BARRIER } from "@isthmus/barrier";
import { batch, count, schemaOf, tries } from "@isthmus/forms";
import { loadMeasurements } from "@isthmus/measurements";
import { STATISTICS_POLICIES, type StatisticsPolicy } from "@isthmus/statistics";
import * as z from "zod";
import { MANY_CHOICES, type MergeMeasurement } from "../description/merge-measurement.ts";
import { entrySchemaOf } from "../measurement/entry.ts";
import { MEASURED_LOSS } from "../schema/measured-loss.ts";
import { NAMED_DATA, WHERE } from "./entry-fields.ts";

/** A merge as a file describes it: `statistics` is the name of a policy, or missing, which means `auto`. */
type FileMeasurement = FileOf<MergeMeasurement>;
type FileOf<M extends { readonly statistics?: unknown }> = Omit<M, "statistics"> & {
  readonly statistics?: StatisticsPolicy;
};

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
  ]),
);

/** Makes the schemas of all measurements, with values in place of their variables. */
export async function loadMeasurementSchemas(): Promise<readonly [z.ZodObject, ...z.ZodObject[]]> {
  const defined = (await loadMeasurements()).map(entrySchemaOf);
  const written = WRITTEN_OUT as z.ZodDiscriminatedUnion<z.ZodObject[]>;
  return [entrySchemaOf(BARRIER), ...defined, ...written.options];
}

/** Makes the schema of any measurement, with values in place of its variables. */
export async function loadMeasurementSchema(): Promise<z.ZodType> {
  return z.discriminatedUnion("kind", await loadMeasurementSchemas());
}

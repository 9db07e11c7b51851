import { CUMULATIVE_ORDERS } from "@isthmus/barrier";
import { PATH_KINDS } from "@isthmus/interpolation";
import { STATISTICS_POLICIES, type StatisticsPolicy } from "@isthmus/statistics";
import { z } from "zod";
import { MANY_CHOICES, type MergeMeasurement } from "../description/merge-measurement.ts";
import type { CurvatureMeasurement } from "../description/network-measurement.ts";
import {
  ALIGN_CHOICES,
  type BarrierMeasurement,
  type LayersMeasurement,
} from "../description/study-description.ts";
import { LAYER_PATTERNS } from "../schema/layer-patterns.ts";
import { batch, count, examples, places, tries } from "../schema/numbers.ts";
import { schemaOf } from "../schema/schema-of.ts";
import { CURVATURE_FIELDS, LEARNING_FIELDS } from "../schema/shared-fields.ts";
import { NAMED_DATA, WHERE } from "./entry-fields.ts";

/** A measurement, as a file describes it: with a policy by name, or none, which means `auto`. */
type FileMeasurement =
  | FileOf<BarrierMeasurement>
  | FileOf<LayersMeasurement>
  | FileOf<MergeMeasurement>
  | CurvatureMeasurement;
type FileOf<M extends { readonly statistics?: unknown }> = Omit<M, "statistics"> & {
  readonly statistics?: StatisticsPolicy;
};

const match = z.strictObject({
  data: NAMED_DATA.optional(),
  batch: batch.optional(),
  ...LEARNING_FIELDS,
});

const pairs = {
  between: z.union([z.string(), z.tuple([z.string(), z.string()])]),
  across: z.string().optional(),
  choose: z.enum(["all", "consecutive", "disjoint"]).optional(),
  align: z.enum(ALIGN_CHOICES).optional(),
  where: WHERE.optional(),
  restarts: tries(1).optional(),
  match: match.optional(),
  data: NAMED_DATA,
  points: places(3).optional(),
  statistics: z.enum(STATISTICS_POLICIES).optional(),
  statisticsData: NAMED_DATA.optional(),
  batchSize: batch.optional(),
};

const single = { of: z.string(), where: WHERE.optional(), data: NAMED_DATA, batchSize: batch.optional() };

/** A measurement, with values in place of its variables. */
export const MEASUREMENT: z.ZodType = schemaOf<FileMeasurement>()(
  z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("barrier"),
      ...pairs,
      refine: places(0).optional(),
      path: z.enum(PATH_KINDS).optional(),
      temperature: z.boolean().optional(),
    }),
    z.strictObject({
      kind: z.literal("layers"),
      ...pairs,
      groups: LAYER_PATTERNS.optional(),
      orders: z.array(z.enum(CUMULATIVE_ORDERS)).optional(),
      predict: examples(0).optional(),
      directions: tries(0).optional(),
    }),
    z.strictObject({
      kind: z.literal("merge"),
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
      kind: z.literal("curvature"),
      ...single,
      ...CURVATURE_FIELDS,
    }),
  ]),
);

import { CUMULATIVE_ORDERS } from "@isthmus/barrier";
import { SOURCE_MODES } from "@isthmus/ensemble";
import { batch, count, examples, places, repeats, schemaOf, seed, tries } from "@isthmus/forms";
import { PATH_KINDS } from "@isthmus/interpolation";
import { loadMeasurements } from "@isthmus/measurements";
import { STATISTICS_POLICIES, type StatisticsPolicy } from "@isthmus/statistics";
import { OPTIMIZER, SCHEDULE } from "@isthmus/training/forms";
import { z } from "zod";
import { type IntrinsicDimensionMeasurement, LABEL_CHOICES } from "../description/dimension-measurement.ts";
import type { AttackMeasurement, EnsembleMeasurement } from "../description/ensemble-measurement.ts";
import { MANY_CHOICES, type MergeMeasurement } from "../description/merge-measurement.ts";
import type { CurvatureMeasurement, LandscapeMeasurement } from "../description/network-measurement.ts";
import type { ParetoMeasurement } from "../description/pareto-measurement.ts";
import type {
  CurveMeasurement,
  DropoutPathMeasurement,
  MechanismsMeasurement,
  WalkedPathMeasurement,
} from "../description/path-measurements.ts";
import type { BarrierMeasurement, LayersMeasurement } from "../description/study-description.ts";
import { entrySchemaOf } from "../measurement/entry.ts";
import { CURVATURE_FIELDS } from "../schema/curvature-fields.ts";
import { DIMENSION_FIELDS } from "../schema/dimension-fields.ts";
import {
  CURVE_FIELDS,
  DROPOUT_PATH_FIELDS,
  MECHANISMS_FIELDS,
  WALKED_PATH_FIELDS,
} from "../schema/dropout-fields.ts";
import { ATTACK_FIELDS, ENSEMBLE_FIELDS, LAYOUT, PARETO_FIELDS } from "../schema/ensemble-fields.ts";
import { FILE_LOSS, type FileLoss } from "../schema/file-loss.ts";
import { LANDSCAPE_FIELDS } from "../schema/landscape-fields.ts";
import { LAYER_PATTERNS } from "../schema/layer-patterns.ts";
import { PAIR_SELECTION } from "../schema/pair-selection.ts";
import { NAMED_DATA, WHERE } from "./entry-fields.ts";

/** A curve to be trained, as a file describes it. */
type FileCurveMeasurement = Omit<CurveMeasurement, "loss"> & { readonly loss?: FileLoss };

/** A measurement, as a file describes it: with a policy by name, or none, which means `auto`. */
type FileMeasurement =
  | FileOf<BarrierMeasurement>
  | FileOf<LayersMeasurement>
  | FileOf<MergeMeasurement>
  | CurvatureMeasurement
  | LandscapeMeasurement
  | DropoutPathMeasurement
  | WalkedPathMeasurement
  | MechanismsMeasurement
  | IntrinsicDimensionMeasurement
  | EnsembleMeasurement
  | AttackMeasurement
  | ParetoMeasurement
  | FileCurveMeasurement;
type FileOf<M extends { readonly statistics?: unknown }> = Omit<M, "statistics"> & {
  readonly statistics?: StatisticsPolicy;
};

/** Which pairs of networks, and on which examples. */
const selected = { ...PAIR_SELECTION, data: NAMED_DATA };

const pairs = {
  ...selected,
  points: places(3).optional(),
  statistics: z.enum(STATISTICS_POLICIES).optional(),
};

const single = { of: z.string(), where: WHERE.optional(), data: NAMED_DATA, batchSize: batch.optional() };

/** Schemas of measurements that have no definition yet, with values in place of variables. */
const WRITTEN_OUT: z.ZodType = schemaOf<FileMeasurement>()(
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
    z.strictObject({
      kind: z.literal("ensemble"),
      ...single,
      across: z.string().optional(),
      selectionData: NAMED_DATA.optional(),
      statisticsData: NAMED_DATA.optional(),
      others: z.array(NAMED_DATA).optional(),
      star: z.string().optional(),
      ...ENSEMBLE_FIELDS,
    }),
    z.strictObject({
      kind: z.literal("attack"),
      ...single,
      across: z.string().optional(),
      sources: z.record(
        z.string(),
        z.strictObject({
          of: z.string(),
          where: WHERE.optional(),
          mode: z.enum(SOURCE_MODES).optional(),
        }),
      ),
      ...ATTACK_FIELDS,
    }),
    z.strictObject({
      kind: z.literal("pareto"),
      net: z.string(),
      data: NAMED_DATA,
      testData: NAMED_DATA,
      layout: LAYOUT.optional(),
      seed,
      epochs: repeats(1),
      batch: batch.optional(),
      optimizer: OPTIMIZER.optional(),
      schedule: SCHEDULE.optional(),
      ...PARETO_FIELDS,
    }),
    z.strictObject({ kind: z.literal("landscape"), ...single, ...LANDSCAPE_FIELDS }),
    z.strictObject({ kind: z.literal("dropout-path"), ...selected, ...DROPOUT_PATH_FIELDS }),
    z.strictObject({
      kind: z.literal("intrinsic-dimension"),
      net: z.string(),
      trainOn: NAMED_DATA,
      data: NAMED_DATA,
      labels: z.enum(LABEL_CHOICES).optional(),
      ...DIMENSION_FIELDS,
    }),
    z.strictObject({
      kind: z.literal("walked-path"),
      ...selected,
      ...WALKED_PATH_FIELDS,
      trainOn: NAMED_DATA,
      batch: batch.optional(),
      optimizer: OPTIMIZER.optional(),
    }),
    z.strictObject({
      kind: z.literal("mechanisms"),
      ...PAIR_SELECTION,
      ...MECHANISMS_FIELDS,
      sets: z.record(z.string(), NAMED_DATA),
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
      loss: FILE_LOSS.optional(),
      optimizer: OPTIMIZER.optional(),
      schedule: SCHEDULE.optional(),
    }),
  ]),
);

/** Makes the schema of a measurement, with values in place of its variables. */
export async function loadMeasurementSchema(): Promise<z.ZodType> {
  const defined = (await loadMeasurements()).map(entrySchemaOf);
  const written = WRITTEN_OUT as z.ZodDiscriminatedUnion<z.ZodObject[]>;
  return z.discriminatedUnion("kind", [...defined, ...written.options] as [z.ZodObject, ...z.ZodObject[]]);
}

import { CUMULATIVE_ORDERS } from "@isthmus/barrier";
import { PATH_KINDS } from "@isthmus/interpolation";
import { STATISTICS_POLICIES, type StatisticsPolicy } from "@isthmus/statistics";
import { z } from "zod";
import { MANY_CHOICES, type MergeMeasurement } from "../description/merge-measurement.ts";
import {
  ALIGN_CHOICES,
  type BarrierMeasurement,
  type LayersMeasurement,
  type LoadedNetwork,
  type MeasurementDescription,
  type StarNetwork,
  type StudyDescription,
  type TrainedNetwork,
} from "../description/study-description.ts";
import { LAYER_PATTERNS } from "../schema/layer-patterns.ts";
import { batch, count, examples, places, repeats, seed, tries } from "../schema/numbers.ts";
import { schemaOf } from "../schema/schema-of.ts";
import { LEARNING_FIELDS, STAR_FIELDS } from "../schema/shared-fields.ts";
import { AUGMENT, FILE_LOSS, type FileLoss, OPTIMIZER, SCHEDULE } from "../schema/training-schema.ts";

/** A network to train, as a file describes it. */
type FileTrainedNetwork = Omit<TrainedNetwork, "loss"> & { readonly loss?: FileLoss };

/** A measurement, as a file describes it: with a policy by name, or none, which means `auto`. */
type FileMeasurement = FileOf<BarrierMeasurement> | FileOf<LayersMeasurement> | FileOf<MergeMeasurement>;
type FileOf<M extends MeasurementDescription> = Omit<M, "statistics"> & {
  readonly statistics?: StatisticsPolicy;
};

/** What a file says of a group before its variables have values; other keys are checked afterwards. */
type FileGroups = Readonly<
  Record<string, { readonly for?: Readonly<Record<string, string | readonly (string | number)[]>> }>
>;

/**
 * A study as a file describes it, with entries that are not yet checked; a file is never a part of a study.
 */
type FileStudy = Omit<StudyDescription, "only" | "networks" | "measurements"> & {
  readonly networks: FileGroups;
  readonly measurements: FileGroups;
};

/** A value of a variable. */
const value = z.union([z.string(), z.number()]);
const where = z.record(z.string(), z.union([value, z.array(value)]));

/** Published data have two splits, and which one is meant must be seen. */
const data = z.string().regex(/^(?!(fashion-)?mnist(@\d+)?$)/, {
  error: 'must say which examples, by ":train" or ":test" after the name',
});

/** A network to train, with values in place of its variables. */
export const TRAINED_NETWORK: z.ZodType = schemaOf<FileTrainedNetwork>()(
  z.strictObject({
    net: z.string(),
    data,
    seed,
    epochs: repeats(1),
    snapshots: z.array(repeats(1)).optional(),
    batch: batch.optional(),
    loss: FILE_LOSS.optional(),
    optimizer: OPTIMIZER.optional(),
    schedule: SCHEDULE.optional(),
    augment: AUGMENT.optional(),
  }),
);

/** A network that is there, with values in place of its variables. */
export const LOADED_NETWORK: z.ZodType = schemaOf<LoadedNetwork>()(
  z.strictObject({
    graph: z.string(),
    checkpoint: z.string(),
    exportedFrom: z.string().optional(),
  }),
);

/** A star to be found, with values in place of its variables. */
export const STAR_NETWORK: z.ZodType = schemaOf<StarNetwork>()(
  z.strictObject({
    star: z.string(),
    net: z.string().optional(),
    data,
    seed,
    epochs: repeats(1),
    batch: batch.optional(),
    optimizer: OPTIMIZER.optional(),
    schedule: SCHEDULE.optional(),
    ...STAR_FIELDS,
  }),
);

const match = z.strictObject({
  data: data.optional(),
  batch: batch.optional(),
  ...LEARNING_FIELDS,
});

const pairs = {
  between: z.union([z.string(), z.tuple([z.string(), z.string()])]),
  across: z.string().optional(),
  choose: z.enum(["all", "consecutive", "disjoint"]).optional(),
  align: z.enum(ALIGN_CHOICES).optional(),
  where: where.optional(),
  restarts: tries(1).optional(),
  match: match.optional(),
  data,
  points: places(3).optional(),
  statistics: z.enum(STATISTICS_POLICIES).optional(),
  statisticsData: data.optional(),
  batchSize: batch.optional(),
};

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
      where: where.optional(),
      count: count(1).optional(),
      many: z.enum(MANY_CHOICES),
      references: count(1).optional(),
      restarts: tries(1).optional(),
      data,
      statistics: z.enum(STATISTICS_POLICIES).optional(),
      statisticsData: data.optional(),
      batchSize: batch.optional(),
    }),
  ]),
);

const text = z.string();
const source = {
  where: where.optional(),
  variable: text.optional(),
  mean: text.optional(),
  std: text.optional(),
  min: text.optional(),
  max: text.optional(),
  low: text.optional(),
  high: text.optional(),
  count: text.optional(),
  ratio: z.tuple([text, text]).optional(),
  lookup: z.strictObject({ variable: text, values: z.record(text, z.number()) }).optional(),
};

/** Names that become names of files and keys of columns. */
const name = text.regex(/^[A-Za-z][\w-]*$/, { error: "must be letters, digits, - and _, a letter first" });

/** The path of a list whose entries count as results. */
const listed = { each: text.optional() };

const table = z.strictObject({
  title: text,
  of: z.union([text, z.array(text).min(1)]),
  ...listed,
  where: where.optional(),
  by: z.array(text).min(1),
  columns: z.record(
    name,
    z.strictObject({
      title: text,
      unit: text.optional(),
      labels: z.record(text, text).optional(),
      ...source,
    }),
  ),
  stack: z
    .strictObject({ column: text, parts: z.record(text, z.record(text, z.strictObject(source))) })
    .optional(),
});

const figure = z.strictObject({
  title: text,
  caption: text,
  table: text,
  mark: z.enum(["line", "bar", "dot"]),
  x: text,
  y: text,
  low: text.optional(),
  high: text.optional(),
  series: text.optional(),
  xScale: z.enum(["linear", "log", "band"]).optional(),
  yScale: z.enum(["linear", "log"]).optional(),
});

/** Values of variables, beside whatever else an entry has. */
const repeated = z.looseObject({
  for: z.record(name, z.union([text, z.array(value)])).optional(),
});

/** A study, with entries that are checked once their variables have values. */
export const STUDY: z.ZodType = schemaOf<FileStudy>()(
  z.strictObject({
    title: text,
    description: text.optional(),
    seed: seed.optional(),
    networks: z.record(name, repeated),
    measurements: z.record(name, repeated),
    tables: z.record(name, table),
    figures: z.array(figure).optional(),
  }),
);

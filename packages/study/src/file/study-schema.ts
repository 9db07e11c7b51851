import { CUMULATIVE_ORDERS } from "@isthmus/barrier";
import { PATH_KINDS } from "@isthmus/interpolation";
import { RAY_DISTRIBUTIONS } from "@isthmus/star-domain";
import { STATISTICS_POLICIES, type StatisticsPolicy } from "@isthmus/statistics";
import type { CrossEntropyLoss, MeanSquaredErrorLoss, NextTokenLoss } from "@isthmus/training";
import { HEAD_GROUPS, LEARNED_PLACES, LEARNED_RULES, LEARNED_UNITS } from "@isthmus/weight-matching";
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
import type { SameShape } from "./same-shape.ts";

/**
 * Returns a schema as it is, once the compiler has found that it accepts values of type `T` and no others:
 * a key or a choice that is added to the type or to the schema alone is an error here.
 */
function schemaOf<T>() {
  return <S extends z.ZodType>(schema: SameShape<z.output<S>, T> extends true ? S : never): z.ZodType =>
    schema;
}

/** Losses that a file may name: others need inputs or outputs of a graph that a study does not have. */
type FileLoss =
  | Pick<CrossEntropyLoss, "kind" | "labelSmoothing">
  | Pick<NextTokenLoss, "kind" | "labelSmoothing" | "weighted">
  | Pick<MeanSquaredErrorLoss, "kind">;

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
const count = (least: number) => z.int().min(least);
const seed = count(0);

/** Published data have two splits, and which one is meant must be seen. */
const data = z.string().regex(/^(?!(fashion-)?mnist(@\d+)?$)/, {
  error: 'must say which examples, by ":train" or ":test" after the name',
});

const update = {
  weightDecay: z.number().optional(),
  decayFromRank: count(0).optional(),
  decayExcept: z.array(z.string()).optional(),
  clipNorm: z.number().nullable().optional(),
};
const adam = {
  beta1: z.number().optional(),
  beta2: z.number().optional(),
  epsilon: z.number().optional(),
  ...update,
};
const baseOptimizers = [
  z.strictObject({
    kind: z.literal("sgd"),
    momentum: z.number().optional(),
    nesterov: z.boolean().optional(),
    ...update,
  }),
  z.strictObject({ kind: z.literal("adam"), ...adam }),
  z.strictObject({ kind: z.literal("adamw"), ...adam }),
] as const;
const optimizer = z.discriminatedUnion("kind", [
  ...baseOptimizers,
  z.strictObject({
    kind: z.literal("sam"),
    rho: z.number().optional(),
    base: z.discriminatedUnion("kind", baseOptimizers),
  }),
]);

const rate = {
  learningRate: z.number().positive(),
  warmupSteps: count(0).optional(),
  warmupFrom: z.number().optional(),
};
const schedule = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("constant"), ...rate }),
  z.strictObject({ kind: z.literal("cosine"), finalRate: z.number().optional(), ...rate }),
  z.strictObject({
    kind: z.literal("one-cycle"),
    rise: z.number().optional(),
    initialDivisor: z.number().optional(),
    finalDivisor: z.number().optional(),
    ...rate,
  }),
  z.strictObject({ kind: z.literal("step"), every: count(1), factor: z.number().optional(), ...rate }),
]);

const labelSmoothing = z.number().optional();
const loss = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("cross-entropy"), labelSmoothing }),
  z.strictObject({ kind: z.literal("next-token"), labelSmoothing, weighted: z.boolean().optional() }),
  z.strictObject({ kind: z.literal("mean-squared-error") }),
]);

/** A network to train, with values in place of its variables. */
export const TRAINED_NETWORK: z.ZodType = schemaOf<FileTrainedNetwork>()(
  z.strictObject({
    net: z.string(),
    data,
    seed,
    epochs: count(1),
    snapshots: z.array(count(1)).optional(),
    batch: count(1).optional(),
    loss: loss.optional(),
    optimizer: optimizer.optional(),
    schedule: schedule.optional(),
    augment: z.strictObject({ crop: count(0).optional(), flip: z.boolean().optional() }).optional(),
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
    epochs: count(1),
    batch: count(1).optional(),
    optimizer: optimizer.optional(),
    schedule: schedule.optional(),
    rays: z.enum(RAY_DISTRIBUTIONS).optional(),
    alignEvery: count(0).optional(),
    restarts: count(1).optional(),
    statisticsExamples: count(1).optional(),
  }),
);

const match = z.strictObject({
  data: data.optional(),
  examples: count(1).optional(),
  steps: count(0).optional(),
  batch: count(1).optional(),
  learningRate: z.number().positive().optional(),
  at: z.enum(LEARNED_PLACES).optional(),
  units: z.enum(LEARNED_UNITS).optional(),
  rule: z.enum(LEARNED_RULES).optional(),
  heads: z.enum(HEAD_GROUPS).optional(),
});

const pairs = {
  between: z.union([z.string(), z.tuple([z.string(), z.string()])]),
  across: z.string().optional(),
  choose: z.enum(["all", "consecutive", "disjoint"]).optional(),
  align: z.enum(ALIGN_CHOICES).optional(),
  where: where.optional(),
  restarts: count(1).optional(),
  match: match.optional(),
  data,
  points: count(3).optional(),
  statistics: z.enum(STATISTICS_POLICIES).optional(),
  statisticsData: data.optional(),
  batchSize: count(1).optional(),
};

/** A measurement, with values in place of its variables. */
export const MEASUREMENT: z.ZodType = schemaOf<FileMeasurement>()(
  z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("barrier"),
      ...pairs,
      refine: count(0).optional(),
      path: z.enum(PATH_KINDS).optional(),
      temperature: z.boolean().optional(),
    }),
    z.strictObject({
      kind: z.literal("layers"),
      ...pairs,
      groups: z.array(z.strictObject({ name: z.string(), patterns: z.array(z.string()).min(1) })).optional(),
      orders: z.array(z.enum(CUMULATIVE_ORDERS)).optional(),
      predict: count(0).optional(),
      directions: count(0).optional(),
    }),
    z.strictObject({
      kind: z.literal("merge"),
      of: z.string(),
      across: z.string().optional(),
      where: where.optional(),
      count: count(1).optional(),
      many: z.enum(MANY_CHOICES),
      references: count(1).optional(),
      restarts: count(1).optional(),
      data,
      statistics: z.enum(STATISTICS_POLICIES).optional(),
      statisticsData: data.optional(),
      batchSize: count(1).optional(),
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

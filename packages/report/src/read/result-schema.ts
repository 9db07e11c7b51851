import { BARRIER_POINT } from "@isthmus/curve/forms";
import { MEASURED } from "@isthmus/findings/forms";
import { schemaOf } from "@isthmus/forms";
import { z } from "zod";
import type { WrittenOut } from "../result/describe-result.ts";
import { COMPARISON_SCHEMA } from "./comparison-schema.ts";
import { CURVATURE_HISTORY_SCHEMA } from "./curvature-history-schema.ts";
import { INTRINSIC_DIMENSION_SCHEMA } from "./intrinsic-dimension-schema.ts";
import { PARETO_SCHEMA } from "./pareto-schema.ts";
import { lossFields, provenance, type ResultOf } from "./provenance.ts";
import { PRUNE_SCHEMA } from "./prune-schema.ts";
import { SIMULATION_SCHEMA } from "./simulation-schema.ts";

const measured = MEASURED;
const count = z.int().min(0);
const text = z.string();
const numbers = z.array(z.number());
const measures = z.looseObject({ loss: measured, error: measured });
const point = BARRIER_POINT;
const definitions = z.looseObject({
  chord: measured,
  meanOfEndpoints: measured,
  maxEndpoint: measured,
  midpoint: measured,
  at: measured,
});
const barriers = z.looseObject({ loss: definitions, error: definitions });
const range = z.looseObject({ low: measured, high: measured });
const origin = { examples: count, data: text, engine: text, ...lossFields };
const norms = { statistics: z.enum(["keep", "recalibrate"]) };
const statistics = {
  statistics: z.enum(["keep", "recalibrate", "repair", "repair-closed-form"]),
  statisticsData: z.string().optional(),
  statisticsExamples: z.number().optional(),
};
const pair = { a: text, b: text };

const tempered = z.looseObject({
  points: z.array(
    z.looseObject({
      t: z.number(),
      temperature: measured,
      loss: measured,
      perplexity: measured.optional(),
    }),
  ),
  barrier: definitions,
  interval: range.optional(),
  data: text,
  examples: count,
});

const barrier = z.looseObject({
  kind: z.literal("barrier"),
  points: z.array(point),
  barrier: barriers,
  interval: z
    .looseObject({ level: z.number(), resamples: count, seed: count, loss: range, error: range })
    .optional(),
  tempered: tempered.optional(),
  path: z.enum(["linear", "spherical"]),
  ...pair,
  ...statistics,
  ...origin,
});

const ofEnds = z.looseObject({ a: measures, b: measures });
const decomposition = z.looseObject({
  kind: z.literal("decomposition"),
  ends: ofEnds,
  midpoint: measures,
  excess: measures,
  parts: z.array(
    z.looseObject({ part: text, tensors: z.array(text), elements: count, averaged: ofEnds, putBack: ofEnds }),
  ),
  byExample: z.looseObject({
    rising: measured,
    rise: measured,
    fall: measured,
    half: measured,
    quantiles: z.array(z.looseObject({ quantile: z.number(), excess: measured })),
    top: z.array(z.looseObject({ share: z.number(), examples: count, excess: measured, ofExcess: measured })),
    cumulative: z.array(z.looseObject({ share: z.number(), excess: measured })),
    worst: z.array(
      z.looseObject({ index: count, a: measured, b: measured, midpoint: measured, excess: measured }),
    ),
  }),
  tempered: z.looseObject({ data: text, examples: count }).optional(),
  ...pair,
  ...statistics,
  ...origin,
});

const joined = z.looseObject({
  pairs: z.array(
    z.looseObject({ a: count, b: count, loss: measured, error: measured, distance: z.number().min(0) }),
  ),
  mean: z.looseObject({ loss: measured, error: measured, distances: numbers }),
  tree: z.looseObject({
    joins: z.array(z.looseObject({ a: count, b: count, height: z.number().min(0) })),
    order: z.array(count),
  }),
  places: z.looseObject({
    networks: z.array(z.tuple([z.number(), z.number()])),
    mean: z.tuple([z.number(), z.number()]),
    stress: z.number().min(0),
  }),
});
const map = z.looseObject({
  kind: z.literal("map"),
  networks: z.array(
    z.looseObject({ source: text, role: z.enum(["network", "star"]), loss: measured, error: measured }),
  ),
  before: joined,
  after: joined,
  many: text,
  points: count,
  seed: count,
  ...norms,
  ...origin,
});

const pairs = z.looseObject({
  pairs: z.array(z.looseObject({ ...pair, loss: measured, error: measured })),
  mean: measured,
  std: measured,
});
const predictor = z.looseObject({
  name: text,
  members: count,
  accuracy: measured,
  nll: measured,
  ece: measured,
  brier: measured,
  aurocMisclassification: z.number().nullable(),
  aurocOutOfDistribution: measured.optional(),
});
const star = z.looseObject({
  kind: z.literal("star"),
  anchors: z.array(text),
  heldOut: z.array(text),
  barriers: z.looseObject({ regularRegular: pairs, starHeldOut: pairs, starAnchor: pairs }),
  points: count,
  aligned: z.boolean(),
  data: text,
  examples: count,
  predictions: z
    .looseObject({
      predictors: z.array(predictor),
      data: text,
      examples: count,
      outOfDistribution: z.looseObject({ data: text, examples: count }).optional(),
    })
    .optional(),
  seed: count,
  engine: text,
  ...lossFields,
});

/** Names of tables become names of files. */
const tableName = z.string().regex(/^\w[\w.-]*$/, {
  error: "must be made of letters, digits, dots, underscores and hyphens",
});
const values = z.record(text, z.array(z.union([text, z.number()])));
const group = z.looseObject({ name: text, count, variables: values, settings: z.looseObject({}) });
const study = z.looseObject({
  kind: z.literal("study"),
  title: text,
  description: text,
  only: values.optional(),
  networks: z.array(group).optional(),
  measurements: z.array(group).optional(),
  tables: z.array(
    z.looseObject({
      name: tableName,
      title: text,
      of: z.array(text).optional(),
      measured: z.array(z.looseObject({ data: text, examples: count, points: count.optional() })).optional(),
      columns: z.array(
        z.looseObject({
          key: text,
          title: text,
          unit: text.optional(),
          aggregate: z.enum(["mean", "std", "min", "max", "low", "high", "count"]).optional(),
          counts: z.array(count).optional(),
        }),
      ),
      rows: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()]))),
    }),
  ),
  figures: z.array(
    z.looseObject({
      title: text,
      caption: text,
      table: text,
      mark: z.enum(["line", "bar", "dot", "heat"]),
      x: text,
      y: text,
      low: text.optional(),
      high: text.optional(),
      series: text.optional(),
      xScale: z.enum(["linear", "log", "band"]).optional(),
      yScale: z.enum(["linear", "log"]).optional(),
      color: text.optional(),
      colorScale: z.enum(["linear", "log", "unit", "diverging"]).optional(),
      borders: z.array(z.looseObject({ of: text, at: z.number() })).optional(),
      best: z.enum(["least", "greatest"]).optional(),
    }),
  ),
  seed: count,
});

/** A barrier as the verb prints it; results of earlier versions call the barrier as given `asTrained`. */
const comparedBarrier = barrier
  .extend({
    asGiven: barrier.optional(),
    asTrained: barrier.optional(),
    decomposition: decomposition.optional(),
    alignment: z.looseObject({}).optional(),
    provenance,
  })
  .transform(({ asTrained, ...result }) => (asTrained ? { ...result, asGiven: asTrained } : result));

/**
 * Forms of the kinds of results that have no definition yet, as `--json` prints them; other keys are left as
 * they are.
 */
export const WRITTEN_OUT_SCHEMAS: Readonly<Record<WrittenOut["kind"], z.ZodType>> = {
  barrier: schemaOf<ResultOf<"barrier">>()(comparedBarrier),
  map: schemaOf<ResultOf<"map">>()(map.extend({ provenance })),
  star: schemaOf<ResultOf<"star">>()(star.extend({ provenance })),
  study: schemaOf<ResultOf<"study">>()(study.extend({ provenance })),
  simulation: SIMULATION_SCHEMA,
  comparison: COMPARISON_SCHEMA,
  pareto: PARETO_SCHEMA,
  "curvature-history": CURVATURE_HISTORY_SCHEMA,
  "intrinsic-dimension": INTRINSIC_DIMENSION_SCHEMA,
  prune: PRUNE_SCHEMA,
};

/** Form of what files of results of all kinds say of their making. */
export const PROVENANCE_SCHEMA: z.ZodType = z.looseObject({ provenance });

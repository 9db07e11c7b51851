import { ATTACK_METHODS, ATTACK_NORMS, SOURCE_MODES } from "@isthmus/ensemble";
import { z } from "zod";
import { provenance, schemaOf } from "./schema-of.ts";

const count = z.int().min(0);
const text = z.string();
/** JSON has no NaN: it writes null for a number that is none. */
const measured = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const named = { data: text, examples: count };
const quality = {
  accuracy: measured,
  nll: measured,
  ece: measured,
  brier: measured,
  aurocMisclassification: z.number().nullable(),
  aurocOthers: z.array(measured),
};

/** Form of ways to predict by several networks, compared. */
export const ENSEMBLE_SCHEMA: z.ZodType = schemaOf<"ensemble">()(
  z.looseObject({
    kind: z.literal("ensemble"),
    predictors: z
      .array(
        z.looseObject({
          name: text,
          members: count,
          ...quality,
          reliability: z.array(
            z.looseObject({ examples: count, confidence: z.number(), accuracy: z.number() }),
          ),
        }),
      )
      .min(1),
    networks: z.array(z.looseObject({ network: text, ...quality })).min(1),
    greedy: z
      .looseObject({
        chosen: z.array(
          z.looseObject({ network: text, nll: measured, likeness: measured, ensembleNll: measured }),
        ),
        members: count,
        diversity: z.number(),
        ...named,
      })
      .optional(),
    others: z.array(z.looseObject(named)),
    recalibrated: z.boolean(),
    ...named,
    engine: text,
    provenance,
  }),
);

/** Form of the transfer of adversarial examples. */
export const ATTACK_SCHEMA: z.ZodType = schemaOf<"attack">()(
  z.looseObject({
    kind: z.literal("attack"),
    method: z.enum(ATTACK_METHODS),
    norm: z.enum(ATTACK_NORMS),
    epsilon: z.number(),
    steps: count,
    stepSize: z.number(),
    randomStart: z.boolean(),
    seed: count,
    pixels: z.boolean(),
    sources: z
      .array(
        z.looseObject({
          name: text,
          mode: z.enum(SOURCE_MODES),
          networks: z.array(text),
          loss: z.looseObject({ before: measured, after: measured }),
          targets: z.array(z.looseObject({ success: z.number().nullable(), accuracy: measured })),
        }),
      )
      .min(1),
    targets: z.array(z.looseObject({ network: text, accuracy: measured })).min(1),
    ...named,
    engine: text,
    provenance,
  }),
);

const front = z.looseObject({
  points: z
    .array(
      z.looseObject({
        shares: z.array(z.number()),
        losses: z.array(measured),
        accuracies: z.array(measured),
      }),
    )
    .min(1),
  hypervolume: measured,
  steps: count,
});

/** Form of fronts of networks for several tasks. */
export const PARETO_SCHEMA: z.ZodType = schemaOf<"pareto">()(
  z.looseObject({
    kind: z.literal("pareto"),
    tasks: z.array(text),
    manifold: front,
    scalarised: front.optional(),
    reference: z.array(z.number()),
    trainedOn: text,
    ...named,
    seed: count,
    engine: text,
    provenance,
  }),
);

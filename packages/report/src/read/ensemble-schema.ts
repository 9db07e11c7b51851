import { ATTACK_METHODS, ATTACK_NORMS, SOURCE_MODES } from "@isthmus/ensemble";
import { schemaOf } from "@isthmus/forms";
import { z } from "zod";
import { MEASURED } from "./measured-path.ts";
import { provenance, type ResultOf } from "./provenance.ts";

const count = z.int().min(0);
const text = z.string();
const named = { data: text, examples: count };
const quality = {
  accuracy: MEASURED,
  nll: MEASURED,
  ece: MEASURED,
  brier: MEASURED,
  aurocMisclassification: z.number().nullable(),
  aurocOthers: z.array(MEASURED),
};

/** Form of ways to predict by several networks, compared. */
export const ENSEMBLE_SCHEMA: z.ZodType = schemaOf<ResultOf<"ensemble">>()(
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
          z.looseObject({ network: text, nll: MEASURED, likeness: MEASURED, ensembleNll: MEASURED }),
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
export const ATTACK_SCHEMA: z.ZodType = schemaOf<ResultOf<"attack">>()(
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
          loss: z.looseObject({ before: MEASURED, after: MEASURED }),
          targets: z.array(z.looseObject({ success: z.number().nullable(), accuracy: MEASURED })),
        }),
      )
      .min(1),
    targets: z.array(z.looseObject({ network: text, accuracy: MEASURED })).min(1),
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
        losses: z.array(MEASURED),
        accuracies: z.array(MEASURED),
      }),
    )
    .min(1),
  hypervolume: MEASURED,
  steps: count,
});

/** Form of fronts of networks for several tasks. */
export const PARETO_SCHEMA: z.ZodType = schemaOf<ResultOf<"pareto">>()(
  z.looseObject({
    kind: z.literal("pareto"),
    tasks: z.array(text),
    manifold: front,
    scalarised: front.optional(),
    together: MEASURED.optional(),
    reference: z.array(z.number()),
    trainedOn: text,
    ...named,
    seed: count,
    engine: text,
    provenance,
  }),
);

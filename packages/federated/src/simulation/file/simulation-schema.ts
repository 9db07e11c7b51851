import { z } from "zod";
import { ALIGN_TARGET_SPELLINGS } from "../../align/align-target.ts";
import { LAYER_POLICIES } from "../../layers/treat-layers.ts";
import { TREATMENTS } from "../../layers/treatments.ts";
import { PRIVACY } from "../../privacy/privacy-schema.ts";
import { findSeedsProblem } from "../study/seeds.ts";

const text = z.string();
const count = (least: number) => z.int().min(least);
const share = z.number().min(0).max(1);

/** Names that tables show. */
const name = text.regex(/^[A-Za-z0-9][\w .+-]*$/, {
  error: "must be letters, digits, spaces and any of - _ . +, a letter or a digit first",
});

/** A name with values of parameters, which are checked where the name is looked up. */
const named = z.object({ name: text }).catchall(z.union([text, z.number(), z.boolean()]));
const namedOrText = z.union([text, named]);

/** Optimisers and schedules are checked by `train`, which knows them. */
const kind = z.looseObject({ kind: text });

const client = z.strictObject({
  epochs: count(1).optional(),
  batch: count(1).optional(),
  optimizer: kind.optional(),
  schedule: kind.optional(),
  proximal: z.number().min(0).optional(),
  scaffold: z.boolean().optional(),
  curriculum: z
    .strictObject({
      order: z.enum(["easy-first", "hard-first", "random"]),
      pacing: z.enum(["linear", "root", "step"]).optional(),
      start: share.optional(),
      full: share.optional(),
    })
    .optional(),
  wasserstein: z
    .strictObject({
      gamma: z.number().positive(),
      steps: count(1).optional(),
      stepSize: z.number().positive().nullable().optional(),
    })
    .optional(),
});

const strategy = z.strictObject({
  rule: namedOrText.optional(),
  before: z.array(namedOrText).optional(),
  server: namedOrText.optional(),
  clip: z.number().positive().optional(),
  privacy: PRIVACY.optional(),
  share: z
    .strictObject({
      policy: z.enum(LAYER_POLICIES).optional(),
      head: text.optional(),
      layers: z.record(text, z.enum(TREATMENTS as ["share", "average", "keep"])).optional(),
      statistics: z.enum(["average", "keep"]).optional(),
    })
    .optional(),
  align: z.enum(ALIGN_TARGET_SPELLINGS).optional(),
  start: z.enum(["together", "apart"]).optional(),
  client: client.optional(),
});

const attack = z
  .object({ name: text, attackers: count(1) })
  .catchall(z.union([text, z.number(), z.boolean()]));

/** Whether a value is `{}`, which says nothing, like `null`. */
export const isEmpty = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.keys(value).length === 0;

const seeds = z.unknown().superRefine((value, context) => {
  const message = findSeedsProblem(value);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

/** A simulation as a file describes it. */
export const SIMULATION: z.ZodType = z.strictObject({
  title: text,
  description: text.optional(),
  federation: z.strictObject({
    net: text,
    data: text,
    evaluate: text,
    clients: count(1),
    rounds: count(1),
    fraction: z.number().positive().max(1).optional(),
    sampling: z.enum(["fixed-size", "poisson"]).optional(),
    lost: z.number().min(0).lt(1).optional(),
    failures: count(1).optional(),
    client: client.optional(),
    measure: z
      .strictObject({
        every: count(1).optional(),
        norms: z.boolean().optional(),
        barriers: z.strictObject({ rounds: z.array(count(1)), pairs: count(1).optional() }).optional(),
      })
      .optional(),
  }),
  partitions: z.record(name, named).optional(),
  strategies: z.record(name, strategy).optional(),
  attacks: z
    .record(
      name,
      z.preprocess((value) => (isEmpty(value) ? null : value), attack.nullable()),
    )
    .optional(),
  seeds: seeds.optional(),
});

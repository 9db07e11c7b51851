import { DATA_NAME } from "@isthmus/data/forms";
import { ALIGN_TARGET_SPELLINGS, LAYER_POLICIES, PRIVACY, TREATMENTS } from "@isthmus/federated";
import {
  amount,
  batch,
  positive,
  repeats,
  schemaOf,
  seed,
  share,
  shareBelow1,
  text,
  zodOfField,
} from "@isthmus/forms";
import { DEVICE_NAMES, LOSS_FIELD } from "@isthmus/graph";
import { OPTIMIZER, SCHEDULE } from "@isthmus/training/forms";
import { NET } from "@isthmus/zoo/forms";
import * as z from "zod";
import type { FederationDescription } from "../description/federation-description.ts";
import { findSeedsProblem } from "../study/seeds.ts";

/** Number of epochs, rounds or steps, at least 1. */
const times = repeats(1);

/** Names that tables show. */
const name = text.regex(/^[A-Za-z0-9][\w .+-]*$/, {
  error: "must be letters, digits, spaces and any of - _ . +, a letter or a digit first",
});

/** Value of a parameter of a named entry; parameters are checked when the name is looked up. */
const parameter = z.union([text, z.number(), z.boolean()], {
  error: "must be text, a number, true or false",
});
const named = z.object({ name: text }).catchall(parameter);
const namedOrText = z.union([text, named], { error: "must be a name, or { name } with parameters" });

/** Largest number of clients of a federation that is simulated on one machine. */
const MOST_CLIENTS = 1_000_000;
const clients = z.int().min(1).max(MOST_CLIENTS);

const client = z.strictObject({
  epochs: times.optional(),
  batch: batch.optional(),
  optimizer: OPTIMIZER.optional(),
  schedule: SCHEDULE.optional(),
  proximal: amount.optional(),
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
      gamma: positive,
      steps: times.optional(),
      stepSize: positive.nullable().optional(),
    })
    .optional(),
});

const strategy = z.strictObject({
  rule: namedOrText.optional(),
  before: z.array(namedOrText).optional(),
  server: namedOrText.optional(),
  clip: positive.optional(),
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

const attack = z.object({ name: text, attackers: clients }).catchall(parameter);

/** Returns whether a value is `{}`, which means the same as `null`. */
export const isEmpty = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.keys(value).length === 0;

const seeds = z.unknown().superRefine((value, context) => {
  const message = findSeedsProblem(value);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

/** Fields that all federations of a simulation have in common. */
const common = {
  net: text,
  data: DATA_NAME,
  evaluate: DATA_NAME,
  clients,
  rounds: times,
  fraction: positive.max(1).optional(),
  sampling: z.enum(["fixed-size", "poisson"]).optional(),
  lost: shareBelow1.optional(),
  failures: times.optional(),
  loss: zodOfField(LOSS_FIELD).optional(),
  client: client.optional(),
  measure: z
    .strictObject({
      every: times.optional(),
      norms: z.boolean().optional(),
      barriers: z.strictObject({ rounds: z.array(times), pairs: clients.optional() }).optional(),
    })
    .optional(),
};

/** Schema of a federation in the parameters of a task. */
export const FEDERATION: z.ZodType<FederationDescription> = schemaOf<FederationDescription>()(
  z.strictObject({
    ...common,
    net: NET,
    partition: named.optional(),
    strategy: strategy.optional(),
    attack: attack.optional(),
    seed,
  }),
);

/** Schema of a simulation in a file. */
export const SIMULATION: z.ZodType = z.strictObject({
  title: text,
  description: text.optional(),
  device: z.enum(DEVICE_NAMES).optional(),
  federation: z.strictObject(common),
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

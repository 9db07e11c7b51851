import { amount, count, positive, schemaOf, share, shareBelow1, text } from "@isthmus/forms";
import {
  ELEMENTWISE_LOSS_NAMES,
  LOSSES,
  type LossesOfOutputs,
  type LossName,
  type LossOfOutput,
  type NamedLoss,
} from "@isthmus/graph";
import * as z from "zod";
import type { LossSpec } from "../loss/loss-spec.ts";
import type { OptimizerSpec } from "../optimizer/optimizer-spec.ts";
import type { ScheduleSpec } from "../schedule/schedule-spec.ts";

const update = {
  weightDecay: amount.optional(),
  decayFromRank: count(0).optional(),
  decayExcept: z.array(text).max(1000).optional(),
  clipNorm: positive.nullable().optional(),
};
const adam = {
  beta1: shareBelow1.optional(),
  beta2: shareBelow1.optional(),
  epsilon: amount.optional(),
  ...update,
};
const baseOptimizers = [
  z.strictObject({
    kind: z.literal("sgd"),
    momentum: shareBelow1.optional(),
    nesterov: z.boolean().optional(),
    ...update,
  }),
  z.strictObject({ kind: z.literal("adam"), ...adam }),
  z.strictObject({ kind: z.literal("adamw"), ...adam }),
] as const;

/** An optimiser. */
export const OPTIMIZER: z.ZodType<OptimizerSpec> = schemaOf<OptimizerSpec>()(
  z.discriminatedUnion("kind", [
    ...baseOptimizers,
    z.strictObject({
      kind: z.literal("sam"),
      rho: positive.optional(),
      base: z.discriminatedUnion("kind", baseOptimizers),
    }),
  ]),
);

const rate = {
  learningRate: positive,
  warmupSteps: count(0).optional(),
  warmupFrom: positive.max(1).optional(),
};

/** Schedule of the learning rate. */
export const SCHEDULE: z.ZodType<ScheduleSpec> = schemaOf<ScheduleSpec>()(
  z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("constant"), ...rate }),
    z.strictObject({ kind: z.literal("cosine"), finalRate: amount.optional(), ...rate }),
    z.strictObject({
      kind: z.literal("one-cycle"),
      rise: share.optional(),
      initialDivisor: positive.optional(),
      finalDivisor: positive.optional(),
      ...rate,
    }),
    z.strictObject({ kind: z.literal("step"), every: count(1), factor: positive.optional(), ...rate }),
    z.strictObject({ kind: z.literal("triangular"), lowRate: amount, every: count(1), ...rate }),
    z.strictObject({ kind: z.literal("sawtooth"), lowRate: amount, every: count(1), ...rate }),
  ]),
);

const examples = text.optional();
const labelSmoothing = shareBelow1.optional();
const weighted = z.boolean().optional();
const labels = { logits: text.optional(), examples, labelSmoothing, weighted };

const ofNumbers = z.enum(ELEMENTWISE_LOSS_NAMES);

const crossEntropy = z.strictObject({
  kind: z.literal("cross-entropy"),
  classAxis: z.int().optional(),
  ...labels,
});
const numbers = z.strictObject({ kind: ofNumbers, prediction: text.optional(), examples });

const lossName = z.enum(LOSSES.map(({ name }) => name)) satisfies z.ZodType<LossName>;

/** Losses of outputs by their names. */
const outputs = schemaOf<LossesOfOutputs>()(
  z.record(
    text,
    z.union([
      lossName,
      schemaOf<LossOfOutput>()(
        z.strictObject({ loss: lossName, targets: text.optional(), weight: positive.optional() }),
      ),
    ]),
  ),
).refine((losses) => Object.keys(losses).length > 0, { error: "must name a loss for each output" });

/** A loss with all values of a graph that it may name. */
const described = schemaOf<LossSpec>()(
  z.discriminatedUnion("kind", [
    crossEntropy,
    z.strictObject({ kind: z.literal("next-token"), ...labels }),
    numbers,
    z.strictObject({
      kind: z.literal("several"),
      outputs,
      terms: z.record(text, z.union([crossEntropy, numbers])).optional(),
      examples,
    }),
    z.strictObject({
      kind: z.literal("output"),
      output: text,
      examples,
      targets: text.optional(),
      prediction: text.optional(),
      losses: text.optional(),
    }),
  ]),
);

/**
 * Loss that a training minimises: its name, its full description, or one loss for each of several outputs.
 */
export const LOSS: z.ZodType<NamedLoss | LossSpec> = z.union([
  lossName.exclude(["none"]),
  described,
  outputs.refine((losses) => !("kind" in losses), { error: "must be described by its kind" }),
]);

import {
  at,
  choiceField,
  type FieldsOf,
  flagField,
  numberField,
  type ResolvedOf,
  seedField,
  UsageError,
  wholeField,
} from "@isthmus/core";
import { channelScalings, type DataSet } from "@isthmus/graph";

/**
 * Attacks: `fgsm`, the fast gradient sign method, is one step of the whole size; `pgd`, projected gradient
 * descent, is several, each brought back to the allowed distance.
 */
export const ATTACK_METHODS = ["fgsm", "pgd"] as const;
/** An attack, see {@link ATTACK_METHODS}. */
export type AttackMethod = (typeof ATTACK_METHODS)[number];

/** Distances: `linf`, the largest change of a number of the example; `l2`, the Euclidean one. */
export const ATTACK_NORMS = ["linf", "l2"] as const;
/** A distance, see {@link ATTACK_NORMS}. */
export type AttackNorm = (typeof ATTACK_NORMS)[number];

/** Largest distances that attacks are usually compared at, for pixels from 0 to 1. */
const ATTACK_EPSILONS: Readonly<Record<AttackNorm, number>> = { linf: 8 / 255, l2: 128 / 255 };

/** How examples are changed. */
export interface AttackOptions {
  /** @defaultValue "pgd" */
  readonly method?: AttackMethod;
  /** @defaultValue "linf" */
  readonly norm?: AttackNorm;
  /**
   * The largest distance from the example, at least 0: for images of bytes in pixels from 0 to 1, which
   * changed images keep to; else in the numbers of the examples. @defaultValue {@link ATTACK_EPSILONS}
   */
  readonly epsilon?: number | undefined;
  /** Steps of `pgd`, at least 1. @defaultValue 10 */
  readonly steps?: number | undefined;
  /** Size of a step of `pgd`, in the unit of `epsilon`. @defaultValue 2.5 times `epsilon` over `steps` */
  readonly stepSize?: number | undefined;
  /** Whether `pgd` starts at a random place within the distance. @defaultValue true */
  readonly randomStart?: boolean;
  /** Decides random starts, and the order of networks that attack in turn. @defaultValue 0 */
  readonly seed?: number;
}

/** Most steps of an attack: more would run for years. */
const MOST_STEPS = 1_000_000;
/** Steps of `pgd` if none are said. */
const PGD_STEPS = 10;

const usual = ATTACK_NORMS.map((norm) => `${norm} ${ATTACK_EPSILONS[norm].toPrecision(3)}`).join(", ");

/** Fields of {@link AttackOptions}. */
export const ATTACK_FIELDS: FieldsOf<AttackOptions> = {
  method: choiceField<AttackMethod>(ATTACK_METHODS, {
    placeholder: "<name>",
    default: "pgd",
    help: "fgsm: one step; pgd: several, brought back to the distance",
  }),
  norm: choiceField<AttackNorm>(ATTACK_NORMS, {
    placeholder: "<name>",
    default: "linf",
    keyed: "if-named",
    help: "distance: the largest change of a number, or the Euclidean one",
  }),
  epsilon: numberField({
    flag: "eps",
    least: 0,
    keyed: "if-named",
    help: `largest distance; for images of bytes in pixels from 0 to 1 (default: ${usual})`,
  }),
  steps: wholeField({
    least: 1,
    most: MOST_STEPS,
    keyed: "if-named",
    help: `steps of pgd (default: ${PGD_STEPS})`,
  }),
  stepSize: numberField({
    least: 0,
    keyed: "if-named",
    help: "size of a step of pgd (default: 2.5 times the distance over the steps)",
  }),
  randomStart: flagField({
    default: true,
    keyed: "if-named",
    help: "start pgd at a random place within the distance",
  }),
  seed: seedField("seed of random starts, and of the order of networks in turn"),
};

/** An attack with all numbers filled in; sizes are in the unit of the options. */
export interface ResolvedAttack {
  readonly method: AttackMethod;
  readonly norm: AttackNorm;
  readonly epsilon: number;
  readonly steps: number;
  readonly stepSize: number;
  readonly randomStart: boolean;
  readonly seed: number;
}

/**
 * Fills in the numbers of an attack that depend on others.
 * @throws UsageError if an option of `pgd` is given for `fgsm`
 */
export function completeAttack(attempt: string, options: ResolvedOf<AttackOptions>): ResolvedAttack {
  const { method, norm, randomStart, seed } = options;
  const { epsilon = ATTACK_EPSILONS[norm] } = options;
  if (method === "fgsm") {
    if (options.stepSize === undefined && (options.steps ?? 1) === 1)
      return { method, norm, epsilon, steps: 1, stepSize: epsilon, randomStart: false, seed };
    throw new UsageError(
      `Cannot ${attempt} by fgsm with "steps" or "stepSize" as it is one step of size "epsilon": leave them out, or choose pgd`,
    );
  }
  const { steps = PGD_STEPS, stepSize = (2.5 * epsilon) / steps } = options;
  return { method, norm, epsilon, steps, stepSize, randomStart, seed };
}

/**
 * Numbers that a channel of examples may have, and how steps in it compare with those in the first channel.
 */
export interface ChannelRange {
  readonly low: number;
  readonly high: number;
  /** A step in the numbers of this channel over the same step in the first channel. */
  readonly weight: number;
}

/** Numbers that examples may have, and what one unit of an attack's sizes is in them. */
export interface ExampleRange {
  /** In the numbers of the first channel. */
  readonly unit: number;
  /** All channels alike, or one entry for each. */
  readonly channels: readonly ChannelRange[];
}

/** Returns the range of a data set's numbers: of pixels as they are scaled, else all numbers. */
export function rangeOf({ scaling }: Pick<DataSet, "scaling">): ExampleRange {
  if (scaling === undefined) {
    return {
      unit: 1,
      channels: [{ low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY, weight: 1 }],
    };
  }
  const scalings = channelScalings(scaling);
  const first = at(scalings, 0, "channel").std;
  const channels = scalings.map(({ mean, std }) => ({
    low: (0 - mean) / std,
    high: (1 - mean) / std,
    weight: first / std,
  }));
  return { unit: 1 / first, channels };
}

import type { AdviceSigns } from "./advice-signs.ts";

/** A way to merge, as a rule of the advice names it. */
export interface AdvisedWay {
  /** Name of the method; null if the networks should not be merged. */
  readonly method: string | null;
  /** Settings of the method for the whole merge; every network has the weight 1. */
  readonly parameters: Readonly<Record<string, number>>;
  /** Whether units are put in one order before the merge. */
  readonly align: boolean;
}

/** A rule of the advice: if its condition holds and no rule above holds, the way is advised. */
export interface AdviceRule {
  /** Short name of the rule, under which docs/verdicts.md describes it. */
  readonly name: string;
  /** Whether the rule speaks of these networks. */
  readonly holds: (signs: AdviceSigns) => boolean;
  /** The advised way to merge. */
  readonly way: AdvisedWay;
  /** Why, in a clause that follows the name of the method. */
  readonly reason: string;
  /** Names of the signs that decided, which are printed beside the reason. */
  readonly signs: readonly (
    | "verdict"
    | "kinship"
    | "distance"
    | "cosine"
    | "conflict"
    | "length"
    | "slope"
    | "nonFinite"
  )[];
}

const way = (
  method: string | null,
  parameters: AdvisedWay["parameters"] = {},
  align = false,
): AdvisedWay => ({
  method,
  parameters,
  align,
});

const LINEAR = way("linear");

const slopeOf = ({ gradients }: AdviceSigns): number => gradients?.slope ?? 0;

/**
 * Mean cosines of steps from a base: above the first, steps go much the same way; below the second, they
 * undo each other.
 */
const COSINES = { alike: 0.14, opposed: -0.03 } as const;
/** Slopes of the loss, in nats for the whole mean step: beyond them the step is too long, or too short. */
const SLOPES = { long: 0.1, short: -0.2 } as const;
/**
 * Mean length of steps, in units of the base's norm, above which unrelated steps are left as long as they
 * are.
 */
const LONG = 0.5;

const isApart = ({ cosine }: AdviceSigns, limit: number): boolean => cosine !== null && cosine < limit;
const isShort = (signs: AdviceSigns): boolean => slopeOf(signs) < SLOPES.short;

/**
 * The rules of the advice, the first that holds counts. Limits and ways were chosen on one half of the
 * merges of tools/advice, and measured on the other, see docs/verdicts.md.
 */
export const ADVICE_RULES: readonly AdviceRule[] = [
  {
    name: "not finite",
    holds: ({ nonFinite }) => nonFinite > 0,
    way: way(null),
    reason:
      "NaN and infinities spread to every merge: use other checkpoints in the place of those that have them",
    signs: ["nonFinite"],
  },
  {
    name: "adapters among models",
    holds: ({ adapters }) => adapters === "some",
    way: way(null),
    reason:
      "an adapter is no model: put each on its model first, which a recipe names as model+adapter, and compare the models",
    signs: [],
  },
  {
    name: "adapters",
    holds: ({ adapters }) => adapters === "all",
    way: LINEAR,
    reason:
      "isthmus merge averages what LoRA adapters add; angles between their factors say nothing of that, and there are no units to align",
    signs: [],
  },
  {
    name: "other architecture",
    holds: ({ verdict }) => verdict === "different architecture",
    way: way(null),
    reason: "there is nothing to merge tensor by tensor: isthmus fuse averages networks of other widths",
    signs: ["verdict"],
  },
  {
    name: "equal",
    holds: ({ verdict }) => verdict === "identical",
    way: way(null),
    reason: "the networks are equal, and their mean is each of them",
    signs: ["verdict"],
  },
  {
    name: "strangers",
    holds: ({ verdict }) => verdict === "different seed" || verdict === "permuted copy",
    way: way("linear", {}, true),
    reason: "units must be put in one order before anything is averaged",
    signs: ["kinship", "distance"],
  },
  {
    name: "no base",
    holds: ({ cosine }) => cosine === null,
    way: LINEAR,
    reason: "the networks are relatives and no base is known, so that only their weights can be averaged",
    signs: ["kinship", "distance"],
  },
  {
    name: "too short, two networks",
    holds: (signs) => isShort(signs) && signs.networks === 2,
    way: way("task_arithmetic", { lambda: 0.7 }),
    reason: "the loss falls beyond the mean: it keeps too little of both steps",
    signs: ["slope", "cosine"],
  },
  {
    name: "too short",
    holds: isShort,
    way: way("iso_c"),
    reason: "the loss falls beyond the mean: it keeps too little of each step",
    signs: ["slope", "cosine"],
  },
  {
    name: "too long",
    holds: (signs) => slopeOf(signs) > SLOPES.long && isApart(signs, COSINES.alike),
    way: way("iso_c", { scale: 0.5 }),
    reason:
      "the loss falls from the mean back to the base: a few directions of the steps outweigh the others",
    signs: ["slope", "cosine"],
  },
  {
    name: "opposed steps",
    holds: (signs) => isApart(signs, COSINES.opposed),
    way: way("iso_c", { scale: 0.5 }),
    reason: "the steps undo each other in part: all directions of their sum shall count alike",
    signs: ["cosine", "conflict", "length"],
  },
  {
    name: "unrelated steps",
    holds: (signs) => isApart(signs, COSINES.alike) && signs.length !== null && signs.length < LONG,
    way: way("iso_c", { scale: 0.5 }),
    reason: "the steps have little in common: all directions of their sum shall count alike",
    signs: ["cosine", "conflict", "length"],
  },
  {
    name: "long unrelated steps",
    holds: (signs) => isApart(signs, COSINES.alike),
    way: LINEAR,
    reason: "the steps have little in common, and are so long that their mean is kept nearer to the base",
    signs: ["cosine", "conflict", "length"],
  },
  {
    name: "relatives",
    holds: () => true,
    way: LINEAR,
    reason: "their mean keeps what the steps have in common",
    signs: ["cosine", "conflict", "length"],
  },
];

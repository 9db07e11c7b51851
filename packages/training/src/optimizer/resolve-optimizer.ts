import { excerpt, matchesAny, OutOfRangeError, resolveOptions, UsageError } from "@isthmus/core";
import { updateAdam, updateAdamW } from "./adam.ts";
import {
  ADAM_DEFAULTS,
  ADAMW_DEFAULTS,
  type BaseOptimizerSpec,
  type OptimizerSpec,
  SAM_DEFAULTS,
  SGD_DEFAULTS,
  type UpdateRules,
} from "./optimizer-spec.ts";
import { updateSgd } from "./sgd.ts";
import type { Update, UpdateContext } from "./update.ts";

/** An optimiser with all its defaults. */
export interface ResolvedOptimizer {
  /** Distance of sharpness-aware minimisation; null without it. */
  readonly rho: number | null;
  readonly clipNorm: number | null;
  /** Returns the weight decay of a parameter; 0 if it is excluded. */
  readonly decayOf: (parameter: { readonly name: string; readonly shape: readonly number[] }) => number;
  /** Adds the nodes that update a parameter. */
  readonly update: (context: UpdateContext) => Update;
}

/**
 * Fills in the defaults of an optimiser and checks the ranges of its numbers.
 * @throws OutOfRangeError if a number is out of its range
 * @throws UsageError if the kind or an option of the optimiser is unknown
 */
export function resolveOptimizer(spec: OptimizerSpec): ResolvedOptimizer {
  if (spec.kind !== "sam") return { rho: null, ...resolveBase(spec) };
  const { kind: _, base, ...rest } = spec;
  const { rho } = resolveOptions("use sam", SAM_DEFAULTS, rest);
  assertRange("sam", { rho }, [(value) => value > 0 && Number.isFinite(value), "more than 0"]);
  return { rho, ...resolveBase(base) };
}

function resolveBase(spec: BaseOptimizerSpec): Omit<ResolvedOptimizer, "rho"> {
  switch (spec.kind) {
    case "sgd": {
      const { kind, ...rest } = spec;
      const rules = resolveOptions("use sgd", SGD_DEFAULTS, rest);
      assertRange(kind, { momentum: rules.momentum }, SHARE);
      assertNesterov(rules);
      return { ...commonRules(kind, rules), update: (context) => updateSgd(rules, context) };
    }
    case "adam":
    case "adamw": {
      const { kind, ...rest } = spec;
      const rules = resolveOptions(`use ${kind}`, kind === "adam" ? ADAM_DEFAULTS : ADAMW_DEFAULTS, rest);
      assertRange(kind, { beta1: rules.beta1, beta2: rules.beta2 }, SHARE);
      assertRange(kind, { epsilon: rules.epsilon }, AT_LEAST_0);
      const update = kind === "adam" ? updateAdam : updateAdamW;
      return { ...commonRules(kind, rules), update: (context) => update(rules, context) };
    }
    default:
      throw new UsageError(
        `Cannot use an optimiser as its kind must be sgd, adam, adamw or, around one of them, sam: it is ${excerpt((spec as { kind?: unknown }).kind)}`,
      );
  }
}

function commonRules(kind: string, rules: Required<UpdateRules>): Omit<ResolvedOptimizer, "rho" | "update"> {
  const { weightDecay, decayFromRank, decayExcept, clipNorm } = rules;
  assertRange(kind, { weightDecay, decayFromRank }, AT_LEAST_0);
  if (clipNorm !== null) assertRange(kind, { clipNorm }, [(value) => value > 0, "more than 0, or null"]);
  const isDecayed = ({ name, shape }: { readonly name: string; readonly shape: readonly number[] }) =>
    shape.length >= decayFromRank && !matchesAny(decayExcept, name);
  return { clipNorm, decayOf: (parameter) => (isDecayed(parameter) ? weightDecay : 0) };
}

/** A check of a number, and the rule in words. */
type Range = readonly [(value: number) => boolean, string];

const SHARE: Range = [(value) => value >= 0 && value < 1, "in [0, 1)"];
const AT_LEAST_0: Range = [(value) => value >= 0 && Number.isFinite(value), "at least 0"];

function assertRange(
  kind: string,
  numbers: Readonly<Record<string, number>>,
  [isInRange, rule]: Range,
): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (isInRange(value)) continue;
    throw new OutOfRangeError(`Cannot use ${kind} as "${name}" must be ${rule}: it is ${value}`);
  }
}

function assertNesterov({
  momentum,
  nesterov,
}: {
  readonly momentum: number;
  readonly nesterov: boolean;
}): void {
  if (!nesterov || momentum > 0) return;
  throw new OutOfRangeError(
    `Cannot use sgd as "momentum" must be more than 0 with nesterov: it is ${momentum}`,
  );
}

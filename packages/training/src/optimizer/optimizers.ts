import { excerpt, matchesAny, OutOfRangeError, resolveOptions, UsageError } from "@isthmus/core";
import { add, div, mul, sqrt, sub, sum, type Value } from "@isthmus/graph/builder";
import type { InPlaceRule } from "./in-place-rule.ts";
import {
  ADAM_DEFAULTS,
  ADAMW_DEFAULTS,
  type BaseOptimizerSpec,
  type OptimizerSpec,
  SAM_DEFAULTS,
  SGD_DEFAULTS,
  type UpdateRules,
} from "./optimizer-spec.ts";
import type { Update, UpdateContext } from "./update.ts";

/** An optimiser with all its defaults. */
export interface ResolvedOptimizer {
  /** Distance of sharpness-aware minimisation; null without it. */
  readonly rho: number | null;
  /** Largest norm of all gradients together, to which they are clipped; null if they are not. */
  readonly clipNorm: number | null;
  /** Returns the weight decay of a parameter; 0 if it is excluded. */
  readonly decayOf: (parameter: { readonly name: string; readonly shape: readonly number[] }) => number;
  /** Adds the nodes that update a parameter. */
  readonly update: (context: UpdateContext) => Update;
  /** The same update by a kernel, for engines that share the memory of tensors. */
  readonly inPlace: InPlaceRule;
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
      return {
        ...commonRules(kind, rules),
        update: (context) => updateSgd(rules, context),
        inPlace: sgdInPlace(rules),
      };
    }
    case "adam":
    case "adamw": {
      const { kind, ...rest } = spec;
      const rules = resolveOptions(`use ${kind}`, kind === "adam" ? ADAM_DEFAULTS : ADAMW_DEFAULTS, rest);
      assertRange(kind, { beta1: rules.beta1, beta2: rules.beta2 }, SHARE);
      assertRange(kind, { epsilon: rules.epsilon }, AT_LEAST_0);
      const update = kind === "adam" ? updateAdam : updateAdamW;
      return {
        ...commonRules(kind, rules),
        update: (context) => update(rules, context),
        inPlace: adamInPlace(kind, rules),
      };
    }
    default:
      throw new UsageError(
        `Cannot use an optimiser as its kind must be sgd, adam, adamw or, around one of them, sam: it is ${excerpt((spec as { kind?: unknown }).kind)}`,
      );
  }
}

function commonRules(
  kind: string,
  rules: Required<UpdateRules>,
): Omit<ResolvedOptimizer, "rho" | "update" | "inPlace"> {
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

type Rules = Pick<typeof ADAM_DEFAULTS, "beta1" | "beta2" | "epsilon">;

/** Updates a parameter by Adam, with weight decay as a part of the gradient. @see torch.optim.Adam */
function updateAdam(rules: Rules, context: UpdateContext): Update {
  const { parameter, gradient, decay, decayed } = context;
  const slope = decay === 0 ? gradient : add(gradient, mul(decayed, decay));
  const { step, state } = adamStep(rules, context, slope);
  return { parameter: sub(parameter, step), state };
}

/** Updates a parameter by AdamW, which first shrinks it by the share `rate decay`. @see torch.optim.AdamW */
function updateAdamW(rules: Rules, context: UpdateContext): Update {
  const { parameter, gradient, decay, scalars } = context;
  const { step, state } = adamStep(rules, context, gradient);
  if (decay === 0) return { parameter: sub(parameter, step), state };
  const shrinkage = scalars.get(`kept(${decay})`, parameter.dtype, (_, rate) => keptShare(rate, decay));
  return { parameter: sub(mul(parameter, shrinkage), step), state };
}

/**
 * Computes the step `rate / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + epsilon)` with
 * `m' = beta1 m + (1 - beta1) g` and `v' = beta2 v + (1 - beta2) g²`.
 *
 * The state is `m / (1 - beta1)` and `v / (1 - beta2)`, and all factors that depend on the step only are
 * multiplied outside of the graph: ten operations an element instead of fourteen.
 */
function adamStep(
  rules: Rules,
  { parameter, scalars, state }: UpdateContext,
  slope: Value,
): { readonly step: Value; readonly state: Readonly<Record<string, Value>> } {
  const { dtype } = parameter;
  const { beta1, beta2 } = rules;
  const first = add(mul(state("firstMoment"), beta1), slope);
  const second = add(mul(state("secondMoment"), beta2), mul(slope, slope));
  const scale = scalars.get("stepSize", dtype, (step, learningRate) => stepSize(rules, step, learningRate));
  const floor = scalars.get("rootFloor", dtype, (step) => rootFloor(rules, step));
  const step = mul(div(first, add(sqrt(second), floor)), scale);
  return { step, state: { firstMoment: first, secondMoment: second } };
}

/** sqrt(v / (1 - beta2^t)) is the root of the second moment in the state, times this scale. */
const rootScale = ({ beta2 }: Rules, step: number): number =>
  Math.sqrt((1 - beta2) / (1 - beta2 ** (step + 1)));

const stepSize = (rules: Rules, step: number, learningRate: number): number =>
  (learningRate * (1 - rules.beta1)) / (1 - rules.beta1 ** (step + 1)) / rootScale(rules, step);

const rootFloor = (rules: Rules, step: number): number => rules.epsilon / rootScale(rules, step);

/** Returns the share of a parameter that the decay of AdamW leaves. */
const keptShare = (learningRate: number, decay: number): number => 1 - learningRate * decay;

function adamInPlace(kind: "adam" | "adamw", rules: Rules): InPlaceRule {
  return {
    kernel: "adapt",
    states: ["firstMoment", "secondMoment"],
    numbersAt({ step, learningRate }, decay) {
      const moments = [rules.beta1, rules.beta2, stepSize(rules, step, learningRate), rootFloor(rules, step)];
      return kind === "adam" ? [...moments, decay, 1] : [...moments, 0, keptShare(learningRate, decay)];
    },
  };
}

/**
 * Updates a parameter by stochastic gradient descent: `v' = momentum v + (g + decay w)` and
 * `w' = w - rate v'`, or with Nesterov momentum `w' = w - rate (g + decay w + momentum v')`.
 *
 * It is no faster to let the matrix product that computes a gradient accumulate onto `momentum v` (`Gemm`
 * with `beta`), as the engine first copies the tensor that it accumulates onto.
 * @see torch.optim.SGD, with dampening 0
 */
function updateSgd(
  { momentum, nesterov }: Pick<typeof SGD_DEFAULTS, "momentum" | "nesterov">,
  { parameter, gradient, decay, decayed, scalars, state }: UpdateContext,
): Update {
  const rate = scalars.get("learningRate", parameter.dtype, (_, learningRate) => learningRate);
  const descend = (direction: Value) => sub(parameter, mul(direction, rate));
  const parts = decay === 0 ? [gradient] : [gradient, mul(decayed, decay)];
  if (momentum === 0) return { parameter: descend(sum(parts)), state: {} };
  const before = mul(state("momentum"), momentum);
  if (!nesterov) {
    const velocity = sum([before, ...parts]);
    return { parameter: descend(velocity), state: { momentum: velocity } };
  }
  const slope = sum(parts);
  const velocity = add(before, slope);
  return { parameter: descend(add(slope, mul(velocity, momentum))), state: { momentum: velocity } };
}

function sgdInPlace({ momentum, nesterov }: Pick<typeof SGD_DEFAULTS, "momentum" | "nesterov">): InPlaceRule {
  if (momentum === 0) {
    return { kernel: "descend", states: [], numbersAt: ({ learningRate }, decay) => [learningRate, decay] };
  }
  return {
    kernel: nesterov ? "lookAhead" : "glide",
    states: ["momentum"],
    numbersAt: ({ learningRate }, decay) => [learningRate, decay, momentum],
  };
}

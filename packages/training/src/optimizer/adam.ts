import { add, div, mul, sqrt, sub, type Value } from "@isthmus/graph/builder";
import type { ADAM_DEFAULTS } from "./optimizer-spec.ts";
import type { Update, UpdateContext } from "./update.ts";

type Rules = Pick<typeof ADAM_DEFAULTS, "beta1" | "beta2" | "epsilon">;

/** Updates a parameter by Adam, with weight decay as a part of the gradient. @see torch.optim.Adam */
export function updateAdam(rules: Rules, context: UpdateContext): Update {
  const { parameter, gradient, decay, decayed } = context;
  const slope = decay === 0 ? gradient : add(gradient, mul(decayed, decay));
  const { step, state } = adamStep(rules, context, slope);
  return { parameter: sub(parameter, step), state };
}

/** Updates a parameter by AdamW, which first shrinks it by the share `rate decay`. @see torch.optim.AdamW */
export function updateAdamW(rules: Rules, context: UpdateContext): Update {
  const { parameter, gradient, decay, scalars } = context;
  const { step, state } = adamStep(rules, context, gradient);
  if (decay === 0) return { parameter: sub(parameter, step), state };
  const shrinkage = scalars.get(
    `kept(${decay})`,
    parameter.dtype,
    (_, learningRate) => 1 - learningRate * decay,
  );
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
  { beta1, beta2, epsilon }: Rules,
  { parameter, scalars, state }: UpdateContext,
  slope: Value,
): { readonly step: Value; readonly state: Readonly<Record<string, Value>> } {
  const { dtype } = parameter;
  const first = add(mul(state("firstMoment"), beta1), slope);
  const second = add(mul(state("secondMoment"), beta2), mul(slope, slope));
  // sqrt(v / (1 - beta2^t)) is the root of the second moment in the state, times this.
  const rootScale = (step: number) => Math.sqrt((1 - beta2) / (1 - beta2 ** (step + 1)));
  const scale = scalars.get(
    "stepSize",
    dtype,
    (step, learningRate) => (learningRate * (1 - beta1)) / (1 - beta1 ** (step + 1)) / rootScale(step),
  );
  const floor = scalars.get("rootFloor", dtype, (step) => epsilon / rootScale(step));
  const step = mul(div(first, add(sqrt(second), floor)), scale);
  return { step, state: { firstMoment: first, secondMoment: second } };
}

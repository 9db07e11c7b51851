import { add, mul, sub, sum, type Value } from "@isthmus/graph/builder";
import type { SGD_DEFAULTS } from "./optimizer-spec.ts";
import type { Update, UpdateContext } from "./update.ts";

/**
 * Updates a parameter by stochastic gradient descent: `v' = momentum v + (g + decay w)` and
 * `w' = w - rate v'`, or with Nesterov momentum `w' = w - rate (g + decay w + momentum v')`.
 *
 * It is no faster to let the matrix product that computes a gradient accumulate onto `momentum v` (`Gemm`
 * with `beta`), as the engine first copies the tensor that it accumulates onto.
 * @see torch.optim.SGD, with dampening 0
 */
export function updateSgd(
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

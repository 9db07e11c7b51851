import { add, mul, sub, sum, type Value } from "@isthmus/graph/builder";
import type { SGD_DEFAULTS } from "./optimizer-spec.ts";
import type { Update, UpdateContext } from "./update.ts";

/**
 * `v' = momentum v + (g + decay w)`, `w' = w - rate v'`; with Nesterov momentum `w' = w - rate (g + decay w + momentum v')`.
 *
 * Tried, and no faster: letting the matrix product that makes a gradient accumulate onto `momentum v` (`Gemm` with `beta`); the
 * engine copies what it accumulates onto first.
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

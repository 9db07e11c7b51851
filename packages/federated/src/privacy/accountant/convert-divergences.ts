import { at } from "@isthmus/core";

/** Order up to which orders are left out, as the bound is not stable near 1. */
const LEAST_ORDER = 1.01;

/**
 * Converts Renyi divergences to the smallest epsilon that they prove for a delta.
 * @param divergences - divergences in nats, `[orders]`
 * @returns epsilon in nats, at least 0, and infinite if no order proves any
 * @see Canonne, Kamath and Steinke, The discrete Gaussian for differential privacy, 2020, proposition 12
 */
export function epsilonOfDivergences(
  orders: readonly number[],
  divergences: readonly number[],
  delta: number,
): number {
  let least = Number.POSITIVE_INFINITY;
  for (const [i, order] of orders.entries()) {
    const divergence = at(divergences, i);
    // This follows from the divergence of Kullback and Leibler alone: delta <= sqrt(1 - exp(-KL)).
    if (delta ** 2 + Math.expm1(-divergence) > 0) return 0;
    if (order <= LEAST_ORDER) continue;
    least = Math.min(least, divergence + Math.log1p(-1 / order) - Math.log(delta * order) / (order - 1));
  }
  return Math.max(0, least);
}

/**
 * Converts Renyi divergences to the smallest delta that they prove for an epsilon.
 * @param divergences - divergences in nats, `[orders]`
 * @returns delta, in `[0, 1]`
 * @see Canonne, Kamath and Steinke, 2020, proposition 12
 */
export function deltaOfDivergences(
  orders: readonly number[],
  divergences: readonly number[],
  epsilon: number,
): number {
  let least = 0;
  for (const [i, order] of orders.entries()) {
    const divergence = at(divergences, i);
    if (divergence === 0) return 0;
    least = Math.min(least, Math.log1p(-Math.exp(-divergence)) / 2);
    if (order <= LEAST_ORDER) continue;
    least = Math.min(least, (order - 1) * (divergence - epsilon + Math.log1p(-1 / order)) - Math.log(order));
  }
  return Math.exp(least);
}

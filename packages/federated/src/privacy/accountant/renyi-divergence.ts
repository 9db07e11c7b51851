import { logMomentsOfFixedSize } from "./fixed-size-sampling.ts";
import { assertMechanism, type RoundMechanism, samplingRate } from "./mechanism.ts";
import { logMomentOfPoisson } from "./poisson-sampling.ts";

/** Orders at which divergences are measured, the same as in dp-accounting 0.6. */
export const RENYI_ORDERS: readonly number[] = [
  ...Array.from({ length: 99 }, (_, i) => 1 + (i + 1) / 10),
  ...Array.from({ length: 53 }, (_, i) => 11 + i),
  ...[128, 256, 512, 1024],
];

/**
 * Computes the Renyi divergence of each order between the results of neighbouring rounds; divergences of
 * several rounds add up.
 * @param orders - above 1
 * @returns divergences in nats, `[orders]`; infinity if an order gives no bound
 * @throws OutOfRangeError if a number of the mechanism is out of its range
 */
export function renyiDivergences(
  mechanism: RoundMechanism,
  orders: readonly number[] = RENYI_ORDERS,
): number[] {
  assertMechanism(mechanism);
  const { noiseMultiplier: sigma, sampling } = mechanism;
  const q = samplingRate(sampling);
  if (q === 0) return orders.map(() => 0);
  if (sigma === 0) return orders.map(() => Number.POSITIVE_INFINITY);
  if (q === 1) return orders.map((order) => order / (2 * sigma ** 2));
  const logMoment =
    sampling.kind === "fixed-size"
      ? logMomentsOfFixedSize(q, sigma, orders)
      : (order: number) => logMomentOfPoisson(q, sigma, order);
  return orders.map((order) => logMoment(order) / (order - 1));
}

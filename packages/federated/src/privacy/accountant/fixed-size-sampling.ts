import { at } from "@isthmus/core";
import { logCentralMoment } from "./central-moment.ts";
import { logAdd } from "./log-space.ts";

/** Largest order of the exact bound; above it a simpler one is used, which takes fewer steps. */
const MOST_EXACT = 256;

/**
 * Creates a function from an order to `(order - 1)` times the Renyi divergence of a Gaussian sum over a fixed
 * number of clients, drawn without replacement, if neighbouring rounds have one client replaced.
 * @param q - share of clients that take part, in `(0, 1)`
 * @param sigma - noise multiplier relative to the change of the sum by one replaced client, above 0
 * @param orders - orders with which the function will be called, above 1
 * @see Wang, Balle and Kasiviswanathan, Subsampled Renyi differential privacy, 2019, theorem 27 (of
 * arXiv:1808.00087), and corollary 10 for orders between whole ones. Differs from dp-accounting 0.6 in that
 * the moments are integrated: there they are differences of numbers that are nearly equal, of which rounding
 * leaves little if noise is large, so that its bounds are looser (0.67 in place of 0.071 for q = 0.9, sigma =
 * 30, order 128)
 */
export function logMomentsOfFixedSize(
  q: number,
  sigma: number,
  orders: readonly number[],
): (order: number) => number {
  const most = Math.ceil(Math.max(2, ...orders.filter((order) => order <= MOST_EXACT)));
  const evenMoments = Array.from({ length: (most + 3) >> 1 }, (_, half) => logCentralMoment(2 * half, sigma));
  const atWholeOrder = (order: number) => (order === 1 ? 0 : ofWholeOrder(q, sigma, { order, evenMoments }));
  return (order) => {
    const [low, high] = [Math.floor(order), Math.ceil(order)];
    if (low === high) return atWholeOrder(order);
    const t = order - low;
    return (1 - t) * atWholeOrder(low) + t * atWholeOrder(high);
  };
}

/** Returns the bound for the Gaussian without sampling: `x` times its divergence of order `x + 1`. */
function gaussianMoment(x: number, sigma: number): number {
  return (x * (x + 1)) / (2 * sigma ** 2);
}

function ofWholeOrder(
  q: number,
  sigma: number,
  { order, evenMoments }: { readonly order: number; readonly evenMoments: readonly number[] },
): number {
  const ofTwo = 1 / sigma ** 2;
  const second = Math.min(Math.log(4) + ofTwo + Math.log1p(-Math.exp(-ofTwo)), ofTwo + Math.LN2);
  const later = (i: number): number => {
    const simple = Math.LN2 + gaussianMoment(i - 1, sigma);
    if (order > MOST_EXACT) return simple;
    const [low, high] = [at(evenMoments, Math.floor(i / 2)), at(evenMoments, Math.ceil(i / 2))];
    return Math.min(Math.log(4) + (low + high) / 2, simple);
  };
  let sum = 0;
  let logBinomial = Math.log(order);
  for (let i = 2; i <= order; i++) {
    logBinomial += Math.log((order - i + 1) / i);
    sum = logAdd(sum, logBinomial + i * Math.log(q) + (i === 2 ? second : later(i)));
  }
  return sum;
}

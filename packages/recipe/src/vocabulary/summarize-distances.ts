import { at, meanOf } from "@isthmus/core";
import { type TokenMatches, tokenAt } from "./match-tokens.ts";
import type { TokenDistances } from "./replacement-result.ts";

/** Shares of the sorted tokens at which residuals are listed. */
const DISTANCE_QUANTILES: readonly number[] = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1];

/** Summarizes how far combinations are from the tokens that they approximate. */
export function summarizeDistances(
  tensor: string,
  { tokens }: TokenMatches,
  ids: Int32Array,
  residuals: Float32Array,
): TokenDistances {
  const listed = [...ids].map((id, i) => ({
    id,
    token: tokenAt({ tokens }, id),
    residual: at(residuals, i),
  }));
  listed.sort((a, b) => b.residual - a.residual || a.id - b.id);
  const sorted = [...residuals].sort((a, b) => a - b);
  const quantiles =
    sorted.length === 0
      ? []
      : DISTANCE_QUANTILES.map((share) => at(sorted, Math.round(share * (sorted.length - 1))));
  return { tensor, quantiles, mean: sorted.length === 0 ? 0 : meanOf(sorted), tokens: listed };
}

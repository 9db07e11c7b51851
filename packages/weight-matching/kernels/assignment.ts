/**
 * Exact linear assignment on a dense f32 matrix: candidate lists, auction, shortest augmenting paths, certificate.
 *
 * Calls, in order: `layOut` (then the caller grows the memory), `begin`, for a warm start write the prices and call `usePrices`,
 * `solve`. The costs either are in the matrix before `begin` (`spreadRows` and `transposeFrom` bring them there), or `solve` fetches
 * rows by the import `fetchRows` as it needs them.
 * Prices, row duals, gap and objective are of the minimisation: the caller negates them after maximising.
 */
import { bids } from "./assignment/auction";
import { searches, wholeRows } from "./assignment/augment";
import { gap, magnitude, objective } from "./assignment/certificate";
import { choice, cost, price, rowDual, spare } from "./assignment/layout";
import { builds } from "./assignment/list";
import { badColumn, badRow, dense, stuckRow } from "./assignment/solve";

export { layOut, strideOf } from "./assignment/layout";
export { spreadRows, transposeFrom } from "./assignment/matrix";
export { begin, solve, usePrices } from "./assignment/solve";

/** Addresses in the problem that was laid out: f32[rows, stride], f64[columns], the spare bytes, i32[rows], f64[rows]. */
export function costAddress(): usize {
  return cost;
}
export function priceAddress(): usize {
  return price;
}
export function spareAddress(): usize {
  return spare;
}
export function choiceAddress(): usize {
  return choice;
}
export function rowDualAddress(): usize {
  return rowDual;
}

/** Place of the value that is not a cost, when `solve` returns 2. */
export function getBadRow(): i32 {
  return badRow;
}
export function getBadColumn(): i32 {
  return badColumn;
}

/** Row that cannot be matched, when `solve` returns 1. */
export function getStuckRow(): i32 {
  return stuckRow;
}

/** Results of the certificate. */
export function getGap(): f64 {
  return gap;
}
export function getObjective(): f64 {
  return objective;
}
export function getMagnitude(): f64 {
  return magnitude;
}

/** What the solve did. */
export function getBids(): i32 {
  return bids;
}
export function getBuilds(): i32 {
  return builds;
}
export function getSearches(): i32 {
  return searches;
}
export function getWholeRows(): i32 {
  return wholeRows;
}
export function isDense(): bool {
  return dense;
}

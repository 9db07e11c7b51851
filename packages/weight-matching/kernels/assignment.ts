/**
 * Exact linear assignment on a dense f32 matrix: candidate lists, auction, shortest augmenting paths, certificate.
 *
 * Calls, in order: `layOut` (then the caller grows the memory), `begin`, for a warm start write the prices and call `usePrices`, then
 * `readRows` over all rows, some at a time, and `solve`. Before `readRows` the rows must be in the matrix (`spreadRows` and
 * `transposeFrom` bring them there); as long as `isUncontested` they may be on the stage instead, and if that holds to the end the
 * matrix is not needed at all.
 * Prices, row duals, gap and objective are of the minimisation: the caller negates them after maximising.
 */
import { bids } from "./assignment/auction";
import { searches, wholeRows } from "./assignment/augment";
import { gap, magnitude, objective } from "./assignment/certificate";
import { choice, cost, price, rowDual, spare, stage } from "./assignment/layout";
import { builds } from "./assignment/list";
import { badColumn, badRow, contested, dense, stuckRow } from "./assignment/solve";

export { layOut, matrixAddress, stagedRows, strideOf } from "./assignment/layout";
export { padRows, spreadRows, transposeFrom } from "./assignment/matrix";
export { begin, readRows, solve, usePrices } from "./assignment/solve";

/** Addresses in the problem that was laid out: f32[rows, stride], f64[columns], f32[stagedRows(), stride], the spare bytes, i32[rows], f64[rows]. */
export function costAddress(): usize {
  return cost;
}
export function priceAddress(): usize {
  return price;
}
export function stageAddress(): usize {
  return stage;
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

/** Whether, so far, the first pass gave every row its least column: then the matrix itself is not needed. */
export function isUncontested(): bool {
  return contested == 0;
}

/** Place of the value that made `readRows` return false. */
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

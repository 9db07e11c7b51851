/**
 * Auctions on candidate lists: rows bid for columns by lowering prices.
 *
 * `reduceRows` is the augmenting row reduction of Jonker and Volgenant (1987): bids without a margin, so that every match stays
 * tight. `runPhases` is eps-scaling after Bertsekas (1988): bids with a margin, quick on hard matrices but tight to eps only;
 * `freeLooseRows` removes what is not tight.
 */
import {
  choice,
  getF64,
  getI32,
  match,
  nextQueue,
  owner,
  price,
  queue,
  reducedPaid,
  rows,
  setI32,
  setPrice,
  unmatch,
} from "./layout";
import { isWithin, topTwo } from "./answer";
import { least, leastColumn, leastCostOf, preferSecond, second } from "./look";

/** Rows in `queue`. */
export let waiting: i32 = 0;
/** Sum and number of the bids that took a column away from another row: their mean is the price scale of the matrix. */
let contestedSum: f64 = 0;
let contestedCount: i32 = 0;
/** Bids since the start of the solve. */
export let bids: i32 = 0;

export function resetAuction(): void {
  waiting = 0;
  contestedSum = 0;
  contestedCount = 0;
  bids = 0;
}

/** Mean of the bids that displaced an owner; 0 if there was none. */
export function priceScale(): f64 {
  return contestedCount == 0 ? 0 : contestedSum / <f64>contestedCount;
}

/** Gives row `i` the column of its last look; returns the row that had it, or -1. */
// @ts-ignore: decorator
@inline
function take(i: i32): i32 {
  const loser = getI32(owner, leastColumn);
  match(i, leastColumn, leastCostOf(i));
  if (loser >= 0) setI32(choice, loser, -1);
  return loser;
}

/** Row at a place of the queue. */
export function rowWaiting(k: i32): i32 {
  return getI32(queue, k);
}

/** Collects the free rows into the queue, in order. */
export function enqueueFreeRows(): void {
  waiting = 0;
  for (let i = 0; i < rows; ++i) if (getI32(choice, i) < 0) setI32(queue, waiting++, i);
}

/** Passes of bids without a margin, while more rows are free than an `enough`-th: the first passes halve them, later ones do not. */
export function reduceRows(passes: i32, enough: i32): void {
  for (let pass = 0; pass < passes && waiting * enough > rows; ++pass) reduceOnce();
}

/**
 * Bids without a margin for every waiting row; the rows still free are left waiting. A displaced row bids at once, but price wars
 * without a margin need not end: after as many such bids as there are rows, the displaced wait for the next pass.
 */
function reduceOnce(): void {
  let rebids = rows;
  let left = 0;
  for (let k = 0; k < waiting; ++k) {
    let i = getI32(queue, k);
    while (i >= 0) {
      const loser = bidTight(i);
      if (loser == REFUSED) {
        setI32(nextQueue, left++, i);
        break;
      }
      // After a tie, broken in favour of the newcomer, bidding again at once would only swap them back.
      if (loser >= 0 && (!pricedOut || --rebids < 0)) {
        setI32(nextQueue, left++, loser);
        break;
      }
      i = loser;
    }
  }
  memory.copy(queue, nextQueue, <usize>left << 2);
  waiting = left;
}

/** The row could not bid: no column but one is allowed to it, and that one is taken. */
const REFUSED: i32 = -2;
/** Whether the last bid lowered a price. */
let pricedOut: bool = false;

/** One bid of row `i` that keeps its match tight; returns the row displaced, -1 if none, or REFUSED. */
export function bidTight(i: i32): i32 {
  ++bids;
  topTwo(i);
  const j = leastColumn;
  if (j < 0) return REFUSED;
  pricedOut = least < second;
  const contested = getI32(owner, j) >= 0;
  if (pricedOut) {
    if (second == f64.POSITIVE_INFINITY) return contested ? REFUSED : take(i);
    const step = second - least;
    if (contested) {
      contestedSum += step;
      ++contestedCount;
    }
    setPrice(j, getF64(price, j) - step);
  } else if (contested) {
    preferSecond(i);
  }
  return take(i);
}

/**
 * One phase of bids with margin `eps`, first come first served; false if `cap` bids were not enough.
 * Rows with one allowed column do not bid and stay free, for the search that follows.
 */
function runPhase(eps: f64, cap: i32): bool {
  // The queue is a ring: a row is in it at most once.
  let head = 0;
  let size = waiting;
  let budget = cap;
  while (size > 0 && budget-- > 0) {
    const i = getI32(queue, head);
    if (++head == rows) head = 0;
    --size;
    topTwo(i);
    const j = leastColumn;
    if (j < 0 || second == f64.POSITIVE_INFINITY) continue;
    setPrice(j, getF64(price, j) - (second - least) - eps);
    const loser = take(i);
    if (loser < 0) continue;
    const tail = head + size;
    setI32(queue, tail < rows ? tail : tail - rows, loser);
    ++size;
  }
  bids += cap - budget;
  return size == 0;
}

/** Frees the rows whose edge is more than `eps` above their least reduced cost, and queues all free rows. */
export function freeLooseRows(eps: f64): void {
  for (let i = 0; i < rows; ++i) {
    if (getI32(choice, i) >= 0 && !isWithin(i, reducedPaid(i), eps)) unmatch(i);
  }
  enqueueFreeRows();
}

/** Margin of the last phase, as a share of the price scale. .03 to .1 are equal within the noise over all classes measured. */
const FINEST_EPS: f64 = 0.07;
/** Growth of eps when a phase does not end, and its shrinking between phases that do. */
const EPS_FACTOR: f64 = 8;
/** Times eps may grow: 8^7 spans every scale seen. */
const MAX_GROWTHS: i32 = 7;
/** Bids for each row before the first phase is given up and eps grows. */
const FIRST_CAP: i32 = 6;
/** Bids for each row in a later phase: what is left then is left to the search. */
const LATER_CAP: i32 = 40;

/**
 * Bids with a margin for the waiting rows. On most matrices one phase at the finest eps does; where it does not end, eps grows until
 * one does, and then shrinks back (eps-scaling from the bottom up).
 */
export function runPhases(scale: f64): void {
  const finest = scale * FINEST_EPS;
  let eps = finest;
  for (let growths = 0; !runPhase(eps, FIRST_CAP * rows) && growths < MAX_GROWTHS; ++growths) {
    eps *= EPS_FACTOR;
    enqueueFreeRows();
  }
  while (eps > finest) {
    eps = max(eps / EPS_FACTOR, finest);
    freeLooseRows(eps);
    runPhase(eps, LATER_CAP * rows);
  }
}

/**
 * The certificate of optimality.
 *
 * For any prices, sum_i min_j(c_ij - price_j) + sum_j price_j is a lower bound of every perfect matching (weak duality, for
 * prices <= 0 also of rectangular ones). `gap` is the objective minus that bound, in f64.
 */
import {
  BLOCK_BYTES,
  columns,
  getF64,
  getI32,
  owner,
  paid,
  price,
  price32,
  reducedEdge,
  reducedPaid,
  roundUp,
  rowBytes,
  rowDual,
  rows,
  setF64,
  sign,
  stagedRows,
  unmatch,
} from "./layout";
import { provenLeastOf } from "./answer";
import { bring, bringAgain } from "./matrix";
import { blockMask, reduced } from "./row";

/** How far the matching can be from the optimum. */
export let gap: f64 = 0;
/** Sum of the costs of the matching, and of their absolute values. */
export let objective: f64 = 0;
export let magnitude: f64 = 0;

/** Adds up the matching, which must be complete. */
function addCosts(): void {
  objective = 0;
  magnitude = 0;
  for (let i = 0; i < rows; ++i) {
    const c = getF64(paid, i);
    objective += c;
    magnitude += Math.abs(c);
  }
}

/**
 * Certifies the present matching and fills `rowDual`. With `verify` from the costs alone; else each row from its list where that
 * proves its least, which rests on the invariant of the lists.
 */
export function certify(verify: bool): void {
  addCosts();
  gap = 0;
  if (verify) certifyFromCosts();
  else certifyFromLists();
  addFreeColumns();
}

function certifyFromCosts(): void {
  for (let from = 0; from < rows; from += stagedRows()) {
    const to = min(from + stagedRows(), rows);
    let row = bringAgain(from);
    for (let i = from; i < to; ++i) {
      settle(i, leastUpTo(row, reducedPaid(i)));
      row += rowBytes;
    }
  }
}

function certifyFromLists(): void {
  for (let i = 0; i < rows; ++i) {
    const proven = provenLeastOf(i);
    const x = reducedPaid(i);
    settle(i, proven > f64.NEGATIVE_INFINITY ? min(x, proven) : leastUpTo(bring(i), x));
  }
}

/** Notes the dual of a row and what its edge has above it. */
// @ts-ignore: decorator
@inline
function settle(i: i32, low: f64): void {
  setF64(rowDual, i, low);
  gap += reducedPaid(i) - low;
}

/** The same where every price is 0 and every row has its least entry: the pass that read the costs has proven it. */
export function certifyFirstPass(): void {
  addCosts();
  gap = 0;
  memory.copy(rowDual, paid, <usize>rows << 3);
}

/** A column that stays free must have price 0; what it has below counts against the matching. */
function addFreeColumns(): void {
  if (rows == columns) return;
  for (let j = 0; j < columns; ++j) if (getI32(owner, j) < 0) gap -= getF64(price, j);
}

/** Frees the rows whose edge is not their least; returns how many. */
export function freeUncertified(): i32 {
  let freed = 0;
  for (let i = 0; i < rows; ++i) {
    if (reducedPaid(i) <= getF64(rowDual, i)) continue;
    unmatch(i);
    ++freed;
  }
  return freed;
}

/**
 * The least reduced cost of the row at `row`, given that `x` is one of them. Whatever exceeds `x` rounded up in f32 exceeds it in f64 (prices
 * are rounded up too), so f64 is needed for the few columns that do not.
 */
function leastUpTo(row: usize, x: f64): f64 {
  const limit = f32x4.splat(roundUp(x));
  let low = x;
  let offset = nextBlock(row, 0, limit);
  while (offset < rowBytes) {
    let mask = blockMask(row, offset, limit);
    while (mask != 0) {
      const j = <i32>(offset >> 2) + ctz<u32>(mask);
      mask &= mask - 1;
      if (j < columns) low = min(low, reducedEdge(row, j));
    }
    offset = nextBlock(row, offset + BLOCK_BYTES, limit);
  }
  return low;
}

/** Offset of the first block from `offset` on with an entry up to `limit`, or the length of a row. */
// @ts-ignore: decorator
@inline
function nextBlock(row: usize, offset: usize, limit: v128): usize {
  const flip = i32x4.splat(sign);
  while (offset < rowBytes) {
    const at = row + offset;
    const prices = price32 + offset;
    const x0 = reduced(v128.load(at), v128.load(prices), flip);
    const x1 = reduced(v128.load(at, 16), v128.load(prices, 16), flip);
    const x2 = reduced(v128.load(at, 32), v128.load(prices, 32), flip);
    const x3 = reduced(v128.load(at, 48), v128.load(prices, 48), flip);
    const x4 = reduced(v128.load(at, 64), v128.load(prices, 64), flip);
    const x5 = reduced(v128.load(at, 80), v128.load(prices, 80), flip);
    const x6 = reduced(v128.load(at, 96), v128.load(prices, 96), flip);
    const x7 = reduced(v128.load(at, 112), v128.load(prices, 112), flip);
    const low = f32x4.pmin(f32x4.pmin(x0, x1), f32x4.pmin(x2, x3));
    const high = f32x4.pmin(f32x4.pmin(x4, x5), f32x4.pmin(x6, x7));
    if (v128.any_true(f32x4.le(f32x4.pmin(low, high), limit))) break;
    offset += BLOCK_BYTES;
  }
  return offset;
}

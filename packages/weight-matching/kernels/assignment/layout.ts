/**
 * Sizes and addresses of the problem being solved.
 *
 * Everything lives in one linear memory: the cost matrix first, so that its address never moves, then the arrays below.
 * Names: `rows` <= `columns` always (the caller transposes), a row of the matrix takes `stride` floats, and the entries from
 * `columns` to `stride` are +Infinity (after `sign`), so that SIMD loops need no tail.
 */

/** Columns handled together by every SIMD loop: eight vectors of four. */
export const BLOCK: i32 = 32;
/** Bytes of one block of one row. */
export const BLOCK_BYTES: usize = 128;
/** Room in a candidate list: about 18 arrive, and ties may bring more. */
export const LIST_ROOM: i32 = 64;

/** Candidates handled together by a look at a list. */
export const LIST_GROUP: i32 = 8;

export let rows: i32 = 0;
export let columns: i32 = 0;
export let stride: i32 = 0;
/** Bytes of one row. */
export let rowBytes: usize = 0;
/** Flips every cost when it is loaded: 0 to minimise, the sign bit to maximise. */
export let sign: i32 = 0;

/** f32[rows, stride]: costs. Rows may be missing until they are needed: see matrix.ts. */
export let cost: usize = 0;
/** u8[rows]: whether a row of the matrix is there. */
export let present: usize = 0;
/** Source of a transposition. */
export let spare: usize = 0;
/** Some rows of the matrix, for passes that need not keep them. */
export let stage: usize = 0;
/** f64[stride]: column prices, 0 in the padding. They only ever decrease: every list bound rests on it. */
export let price: usize = 0;
/** f32[stride]: `price` rounded *up*, so that fl(c - price32) > t implies c - price > t for every f32 t. */
export let price32: usize = 0;
/** i32[columns]: row that owns the column, or -1. */
export let owner: usize = 0;
/** i32[rows]: column of the row, or -1. */
export let choice: usize = 0;
/** f64[rows]: cost of the edge to that column. */
export let paid: usize = 0;
/** f64[rows]: dual of each row, filled by the certificate. */
export let rowDual: usize = 0;

/** f64[rows]: a column that is not in the list of row i has c - price >= bound[i]. -Infinity: there is no list yet. */
export let bound: usize = 0;
/** i32[rows]: entries of each list, padding included. */
export let listCount: usize = 0;
/** i32[rows, LIST_ROOM]: columns of the candidates; padded to whole groups of LIST_GROUP with column 0 at cost +Infinity. */
export let listColumn: usize = 0;
/** f32[rows, LIST_ROOM]: their costs, sign applied. */
export let listCost: usize = 0;

/** i32[rows], twice: rows waiting to bid. */
export let queue: usize = 0;
export let nextQueue: usize = 0;

/** f32x4[stride / BLOCK]: for one row, the minimum of each lane of each block. */
export let blockMinima: usize = 0;

/** i32[stride / BLOCK + 1]: blocks of one row that hold candidates. */
export let foundBlocks: usize = 0;

/** f64[stride]: tentative distances of the shortest path search. */
export let distance: usize = 0;
/** i32[columns]: row through which the tentative distance is reached. */
export let parent: usize = 0;
/** i32[columns]: search that last wrote `distance`; older values count as +Infinity. */
export let stamp: usize = 0;
/** i32[columns] and f64[columns]: columns whose distance is final, in the order they became so. */
export let fixedColumn: usize = 0;
export let fixedDistance: usize = 0;
/** Heap over columns [0, columns) and row bounds [columns, columns + rows): item at a place, place of an item or -1, key. */
export let heapItem: usize = 0;
export let heapPlace: usize = 0;
export let heapKey: usize = 0;
/** f64[rows] and u8[rows]: height of a row in the tree; how often its bound came up. */
export let height: usize = 0;
export let boundStage: usize = 0;

/** f64[stride] and f64[stride / BLOCK]: prices and block minima of the dense search. */
export let workPrice: usize = 0;
export let denseMinima: usize = 0;
/** i32[rows]: rows of the dense search tree in the order they entered. */
export let treeRow: usize = 0;

let top: usize = 0;

/** Bytes staged at once: they stay in the second cache between the copy and the pass. */
const STAGE_BYTES: usize = 1 << 17;

/** Rows that fit the stage. */
export function stagedRows(): i32 {
  return max<i32>(1, <i32>(STAGE_BYTES / max<usize>(1, rowBytes)));
}

function take(bytes: usize): usize {
  const at = top;
  top = (top + bytes + 63) & ~63;
  return at;
}

/** Address of every matrix: it does not depend on the size. */
function matrixAddress(): usize {
  return (__heap_base + 63) & ~63;
}

/** Floats a row takes: `columns` rounded up to whole blocks. */
export function strideOf(columnCount: i32): i32 {
  return (columnCount + BLOCK - 1) & ~(BLOCK - 1);
}

/**
 * Lays out a problem and returns the bytes of memory it needs; nothing is touched.
 * @param spareBytes Bytes kept free between the matrix and the rest, for the source of a transposition.
 */
export function layOut(rowCount: i32, columnCount: i32, spareBytes: usize): usize {
  rows = rowCount;
  columns = columnCount;
  stride = strideOf(columnCount);
  rowBytes = (<usize>stride) << 2;
  top = matrixAddress();
  cost = take(<usize>rows * rowBytes);
  spare = take(spareBytes);
  stage = take(<usize>stagedRows() * rowBytes);
  layOutDuals();
  layOutLists();
  layOutSearch();
  return top;
}

function layOutDuals(): void {
  const padded = <usize>stride;
  price = take(padded << 3);
  price32 = take(padded << 2);
  owner = take(padded << 2);
  choice = take(<usize>rows << 2);
  paid = take(<usize>rows << 3);
  present = take(<usize>rows);
  rowDual = take(<usize>rows << 3);
}

function layOutLists(): void {
  const count = <usize>rows;
  bound = take(count << 3);
  listCount = take(count << 2);
  listColumn = take((count * LIST_ROOM) << 2);
  listCost = take((count * LIST_ROOM) << 2);
  queue = take(count << 2);
  nextQueue = take(count << 2);
  blockMinima = take((<usize>stride / BLOCK) << 4);
  foundBlocks = take((<usize>stride / BLOCK + 1) << 2);
}

function layOutSearch(): void {
  const padded = <usize>stride;
  const items = <usize>(columns + rows);
  distance = take(padded << 3);
  parent = take(padded << 2);
  stamp = take(padded << 2);
  fixedColumn = take(padded << 2);
  fixedDistance = take(padded << 3);
  heapItem = take(items << 2);
  heapPlace = take(items << 2);
  heapKey = take(items << 3);
  height = take(<usize>rows << 3);
  boundStage = take(<usize>rows);
  workPrice = take(padded << 3);
  denseMinima = take((padded / BLOCK) << 3);
  treeRow = take(<usize>rows << 2);
}

export function setSign(maximize: bool): void {
  sign = maximize ? <i32>0x80000000 : 0;
}

/** Address of the place of row `i` in the matrix. */
// @ts-ignore: decorator
@inline
export function rowAt(i: i32): usize {
  return cost + <usize>i * rowBytes;
}

/** Cost of one edge of the row at an address, sign applied. */
// @ts-ignore: decorator
@inline
export function edge(row: usize, j: i32): f64 {
  return <f64>reinterpret<f32>(load<i32>(row + (<usize>j << 2)) ^ sign);
}

/** Reduced cost of one edge of the row at an address. */
// @ts-ignore: decorator
@inline
export function reducedEdge(row: usize, j: i32): f64 {
  return edge(row, j) - getF64(price, j);
}

/** Reduced cost of the edge that a matched row has. */
// @ts-ignore: decorator
@inline
export function reducedPaid(i: i32): f64 {
  return getF64(paid, i) - getF64(price, getI32(choice, i));
}

/** Gives column `j` to row `i` at cost `c`. */
// @ts-ignore: decorator
@inline
export function match(i: i32, j: i32, c: f64): void {
  setI32(owner, j, i);
  setI32(choice, i, j);
  setF64(paid, i, c);
}

/** Frees a matched row and its column. */
export function unmatch(i: i32): void {
  setI32(owner, getI32(choice, i), -1);
  setI32(choice, i, -1);
}

/** Element of an i32 array. */
// @ts-ignore: decorator
@inline
export function getI32(array: usize, index: i32): i32 {
  return load<i32>(array + (<usize>index << 2));
}

// @ts-ignore: decorator
@inline
export function setI32(array: usize, index: i32, value: i32): void {
  store<i32>(array + (<usize>index << 2), value);
}

/** Element of an f64 array. */
// @ts-ignore: decorator
@inline
export function getF64(array: usize, index: i32): f64 {
  return load<f64>(array + (<usize>index << 3));
}

// @ts-ignore: decorator
@inline
export function setF64(array: usize, index: i32, value: f64): void {
  store<f64>(array + (<usize>index << 3), value);
}

/** Least f32 that is not below `x`. */
export function roundUp(x: f64): f32 {
  const y = <f32>x;
  return <f64>y >= x ? y : nextUp(y);
}

/** Next f32 above a finite `x`. */
function nextUp(x: f32): f32 {
  const bits = reinterpret<i32>(x);
  if (x == 0) return reinterpret<f32>(1);
  return reinterpret<f32>(x > 0 ? bits + 1 : bits - 1);
}

/** Sets a price in both precisions. */
// @ts-ignore: decorator
@inline
export function setPrice(j: i32, value: f64): void {
  setF64(price, j, value);
  store<f32>(price32 + (<usize>j << 2), roundUp(value));
}

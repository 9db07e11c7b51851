import { at, type Checkpoint, createRandom, entry, toFloat32 } from "@isthmus/core";
import type { MovedRows } from "./comparison.ts";
import { rowInvariantsInto, updateNearestRows } from "./kernels/row-sums.ts";
import { matrixShape } from "./sample-rows.ts";
import { PARTNERS } from "./thresholds.ts";

/** Least rows and columns of a matrix whose rows are searched. */
const [LEAST_ROWS, LEAST_COLUMNS] = [16, 4];
/** Most tensors that are searched. */
const TENSORS = 6;
/** Number of elements that are read at a time. */
const CHUNK = 1 << 20;
/** Number of invariants of a row, see {@link rowInvariantsInto}. */
const INVARIANTS = 4;
/**
 * Largest relative difference of invariants that rounding explains, if sums are in another order and if
 * element types differ.
 */
const [SAME_TYPE, OTHER_TYPE] = [1e-5, 4e-3];

/** Two networks and the names of the tensors whose rows are searched. */
export interface RowSearch {
  /** Two networks that have all these tensors, in the same shapes. */
  readonly networks: readonly [Checkpoint, Checkpoint];
  /** Names of tensors whose rows may have moved. */
  readonly names: readonly string[];
  /** Most elements of each network that are read. */
  readonly most: number;
}

/**
 * Searches the rows of one network in the other by invariants, which do not change when columns are permuted.
 * It therefore recognises a network whose units were put in another order, on whichever axes of a tensor they
 * lie. It ends early if too few rows have partners for a permuted copy, whatever the other tensors hold.
 * @returns null if no tensor has enough rows and columns for a verdict, or is small enough to be read
 */
export async function findMovedRows({ networks, names, most }: RowSearch): Promise<MovedRows | null> {
  const chosen = chooseTensors(networks[0], names, most);
  const all = chosen.reduce((sum, { rows }) => sum + rows, 0);
  let [rows, partners] = [0, 0];
  const searched: string[] = [];
  for (const tensor of chosen) {
    const { name } = tensor;
    const [x, y] = await Promise.all([readInvariants(networks[0], name), readInvariants(networks[1], name)]);
    searched.push(name);
    rows += tensor.rows;
    const types = networks.map(({ tensors }) => entry(tensors, name, "tensor").dtype);
    partners += countPartners(x, y, types[0] === types[1] ? SAME_TYPE : OTHER_TYPE);
    if (partners + (all - rows) < PARTNERS * all) break;
  }
  return searched.length === 0 ? null : { tensors: searched.sort(), share: partners / rows };
}

/** Chooses the smallest matrices that have enough rows and columns, as many as may be read. */
function chooseTensors(
  network: Checkpoint,
  names: readonly string[],
  most: number,
): readonly { readonly name: string; readonly rows: number }[] {
  const matrices = names
    .map((name) => ({ name, ...matrixShape(entry(network.tensors, name, "tensor").shape) }))
    .filter(({ rows, columns }) => rows >= LEAST_ROWS && columns >= LEAST_COLUMNS)
    .sort((x, y) => x.rows * x.columns - y.rows * y.columns)
    .slice(0, TENSORS);
  let left = most;
  const end = matrices.findIndex(({ rows, columns }) => {
    left -= rows * columns;
    return left < 0;
  });
  return end < 0 ? matrices : matrices.slice(0, end);
}

async function readInvariants(network: Checkpoint, name: string): Promise<Float64Array> {
  const { rows } = matrixShape(entry(network.tensors, name, "tensor").shape);
  const out = new Float64Array(rows * INVARIANTS);
  await scanRows(network, name, (values, first, columns) => {
    const count = values.length / columns;
    const part = out.subarray(first * INVARIANTS, (first + count) * INVARIANTS);
    rowInvariantsInto(values, count, columns, part);
  });
  return out;
}

async function scanRows(
  network: Checkpoint,
  name: string,
  use: (values: Float32Array, first: number, columns: number) => void,
): Promise<void> {
  const { dtype, shape } = entry(network.tensors, name, "tensor");
  const { rows, columns } = matrixShape(shape);
  const count = Math.max(1, Math.floor(CHUNK / columns));
  for (let first = 0; first < rows; first += count) {
    const end = Math.min(rows, first + count);
    const data = await network.readRange(name, first * columns, end * columns);
    use(toFloat32(data, dtype), first, columns);
  }
}

/**
 * Counts the rows of one matrix for which the other has a row of the same invariants; a row is the partner of
 * one other at most.
 */
function countPartners(x: Float64Array, y: Float64Array, tolerance: number): number {
  const [left, right] = [sortRows(x), sortRows(y)];
  const used = new Set<number>();
  let [count, begin] = [0, 0];
  for (const row of left) {
    const squares = at(row, 0, "invariant");
    while (begin < right.length && at(at(right, begin), 0) < squares * (1 - tolerance)) begin++;
    for (let i = begin; i < right.length; i++) {
      const other = at(right, i, "row");
      if (at(other, 0) > squares * (1 + tolerance)) break;
      if (used.has(i) || !isPartner(row, other, tolerance)) continue;
      used.add(i);
      count++;
      break;
    }
  }
  return count;
}

function isPartner(row: Float64Array, other: Float64Array, tolerance: number): boolean {
  // The sum may cancel, so it is compared on the scale of the sum of absolute values.
  const scales = [at(row, 0), at(row, 2), at(row, 2), at(row, 3)];
  return scales.every((scale, i) => Math.abs(at(row, i) - at(other, i)) <= tolerance * scale);
}

function sortRows(invariants: Float64Array): Float64Array[] {
  const rows = Array.from({ length: invariants.length / INVARIANTS }, (_, i) =>
    invariants.subarray(i * INVARIANTS, (i + 1) * INVARIANTS),
  );
  return rows.sort((p, q) => at(p, 0) - at(q, 0));
}

/**
 * Number of rows of an embedding that are searched in the other network, and number of their columns that are
 * compared.
 */
const [SOUGHT_ROWS, SOUGHT_COLUMNS] = [48, 128];
/** Least cosine of a row and its partner. */
const PARTNER_COSINE = 0.8;

/**
 * Searches rows of one embedding in the other, whose columns are in the same order, to find out whether the
 * vocabularies are in different orders.
 * @returns the share of sampled rows, of both networks, whose partner is in another place
 */
export async function findMovedTokens(
  [a, b]: readonly [Checkpoint, Checkpoint],
  name: string,
  seed: number,
): Promise<number> {
  const there = await shareElsewhere([a, b], name, seed);
  return (there + (await shareElsewhere([b, a], name, seed))) / 2;
}

async function shareElsewhere(
  [from, to]: readonly [Checkpoint, Checkpoint],
  name: string,
  seed: number,
): Promise<number> {
  const { rows, columns } = matrixShape(entry(from.tensors, name, "tensor").shape);
  const { dtype } = entry(from.tensors, name, "tensor");
  const width = Math.min(columns, SOUGHT_COLUMNS);
  const random = createRandom(seed, name);
  const places = Array.from({ length: Math.min(rows, SOUGHT_ROWS) }, () => random.integer(rows));
  const sought = new Float32Array(places.length * width);
  for (const [k, place] of places.entries()) {
    const row = toFloat32(await from.readRange(name, place * columns, place * columns + width), dtype);
    const length = Math.hypot(...row);
    sought.set(length === 0 ? row : row.map((x) => x / length), k * width);
  }
  const best = new Float64Array(places.length).fill(-1);
  const nearest = new Int32Array(places.length).fill(-1);
  await scanRows(to, name, (values, first, stride) =>
    updateNearestRows(sought, values, { width, stride, first }, best, nearest),
  );
  const moved = places.filter((place, k) => nearest[k] !== place && at(best, k) > PARTNER_COSINE);
  return moved.length / places.length;
}

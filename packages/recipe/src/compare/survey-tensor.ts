import {
  at,
  type Checkpoint,
  convertInto,
  createRandom,
  DTYPES,
  type DType,
  entry,
  innerProduct,
  type TensorData,
  viewBytes,
} from "@isthmus/core";
import { compareBytes } from "@isthmus/platform";
import {
  addOverlapInto,
  addPowersInto,
  centreRowsInto,
  countLongRows,
  dropNonFinite,
} from "./kernels/row-sums.ts";
import { isCoarse } from "./quantized-form.ts";
import { type MatrixShape, type RowBlock, sampleRows } from "./sample-rows.ts";

/** A tensor that several networks have under one name, with rows of the same length. */
export interface SurveyedTensor {
  /** Name of the tensor in all members. */
  readonly name: string;
  /** Positions of the networks. */
  readonly members: readonly number[];
  /**
   * The number of rows of the member with the fewest, and the number of columns, which is the same in all
   * members.
   */
  readonly matrix: MatrixShape;
}

/** Measurements of one tensor of several networks. Sums are scaled up from the sample to the whole tensor. */
export interface TensorSurvey extends SurveyedTensor {
  /** Whether all members hold floating-point numbers; sums of other tensors are not measured. */
  readonly float: boolean;
  /** Share of the tensor that was read. */
  readonly sampled: number;
  /** Number of elements of the tensor. */
  readonly size: number;
  /** Scalar products, `[members][members]`. */
  readonly products: readonly (readonly number[])[];
  /**
   * Overlap of the steps from the base, `[members][members]`: of opposite signs, and of all signs. Null if no
   * base is named, or the base lacks the tensor.
   */
  readonly overlaps: readonly (readonly Float64Array[])[] | null;
  /** Sums of elements, `[members]`. */
  readonly sums: readonly number[];
  /** Mean cosines of rows in the same place, `[members][members]`; null for vectors and small matrices. */
  readonly kinship: readonly (readonly number[])[] | null;
  /** Excess kurtosis of the elements, `[members]`; null for vectors and small matrices. */
  readonly kurtosis: readonly number[] | null;
  /** Whether every element that was read is equal, `[members][members]`. */
  readonly equal: readonly (readonly boolean[])[];
  /** Number of elements that are not finite, among the elements that were read, `[members]`. */
  readonly nonFinite: readonly number[];
  /** Whether elements take few values, `[members]`; null if rows are too short to judge. */
  readonly coarse: readonly boolean[] | null;
}

/** Least rows, columns and elements of a matrix whose rows are compared. */
const [LEAST_ROWS, LEAST_COLUMNS, LEAST_ELEMENTS] = [4, 4, 256];
/** Number of rows of a tensor in which values are counted, and the least width of such a row. */
const [COUNTED_ROWS, COUNTED_WIDTH] = [4, 64];

/** Options of {@link surveyTensor}. */
export interface SurveyOptions {
  /** Largest number of elements of each network that may be read. */
  readonly most: number;
  /** Most parts of the tensor that are read, if it is too large to be read whole. */
  readonly blocks: number;
  /** Seed of the sample. */
  readonly seed: number;
  /** Position of the base among the networks; null without a base. */
  readonly base: number | null;
}

/** Sums over the blocks of a tensor that were read. */
interface Totals {
  elements: number;
  readonly products: number[][];
  /** Position of the base among the members; -1 without a base. */
  readonly base: number;
  readonly overlaps: readonly (readonly Float64Array[])[];
  /** Sums of the first four powers of the elements, `[members][4]`. */
  readonly powers: readonly Float64Array[];
  readonly cosines: number[][];
  readonly rows: number[][];
  readonly equal: boolean[][];
  readonly nonFinite: number[];
  readonly coarse: number[];
  counted: number;
}

/**
 * Measures a tensor of several networks on a sample of its rows, the same rows of all networks.
 */
export async function surveyTensor(
  networks: readonly Checkpoint[],
  tensor: SurveyedTensor,
  { most, blocks, seed, base }: SurveyOptions,
): Promise<TensorSurvey> {
  const { name, members, matrix } = tensor;
  const size = matrix.rows * matrix.columns;
  const isMatrix = matrix.rows >= LEAST_ROWS && matrix.columns >= LEAST_COLUMNS && size >= LEAST_ELEMENTS;
  const checkpoints = members.map((member) => at(networks, member, "network"));
  const float = checkpoints.every(({ tensors }) => DTYPES[entry(tensors, name, "tensor").dtype].float);
  const totals = createTotals(members.length, base === null ? -1 : members.indexOf(base));
  for (const block of sampleRows(matrix, most, createRandom(seed, name), blocks)) {
    const parts = await Promise.all(checkpoints.map((network) => readBlock(network, name, matrix, block)));
    compareParts(parts, totals);
    if (!float) totals.elements += block.rows * block.width;
    else addBlock(parts, block, { totals, isMatrix });
  }
  const scale = totals.elements === 0 ? 0 : size / totals.elements;
  return {
    name,
    members,
    matrix,
    float,
    size,
    sampled: size === 0 ? 1 : totals.elements / size,
    products: totals.products.map((row) => row.map((product) => scale * product)),
    overlaps: totals.base < 0 || !float ? null : totals.overlaps,
    sums: totals.powers.map((powers) => scale * at(powers, 0, "sum")),
    kurtosis: float && isMatrix ? totals.powers.map((powers) => kurtosisOf(powers, totals.elements)) : null,
    kinship: float && isMatrix ? meanCosines(totals) : null,
    equal: totals.equal,
    nonFinite: totals.nonFinite,
    coarse: totals.counted === 0 ? null : totals.coarse.map((rows) => rows === totals.counted),
  };
}

function createTotals(count: number, base: number): Totals {
  const table = <T>(value: T): T[][] => Array.from({ length: count }, () => Array<T>(count).fill(value));
  const list = () => Array<number>(count).fill(0);
  return {
    elements: 0,
    counted: 0,
    base,
    products: table(0),
    overlaps: Array.from({ length: base < 0 ? 0 : count }, () => list().map(() => new Float64Array(2))),
    cosines: table(0),
    rows: table(0),
    equal: table(true),
    powers: list().map(() => new Float64Array(4)),
    nonFinite: list(),
    coarse: list(),
  };
}

/** Elements of one network in a block, in their stored type and as f32. */
interface BlockPart {
  readonly dtype: DType;
  readonly stored: TensorData;
  readonly values: Float32Array;
}

async function readBlock(
  network: Checkpoint,
  name: string,
  { columns }: MatrixShape,
  { first, rows, step, column, width }: RowBlock,
): Promise<BlockPart> {
  const { dtype } = entry(network.tensors, name, "tensor");
  const stored = new DTYPES[dtype].array(rows * width);
  const isContiguous = step === 1 && width === columns;
  const reads = isContiguous
    ? [network.readRangeInto(name, first * columns, stored)]
    : Array.from({ length: rows }, (_, i) =>
        network.readRangeInto(
          name,
          (first + i * step) * columns + column,
          stored.subarray(i * width, (i + 1) * width),
        ),
      );
  await Promise.all(reads);
  const values = new Float32Array(DTYPES[dtype].float ? stored.length : 0);
  if (values.length > 0) convertInto({ dtype, data: stored }, { dtype: "f32", data: values });
  return { dtype, stored, values };
}

function compareParts(parts: readonly BlockPart[], { equal }: Totals): void {
  forPairs(parts, (a, b, i, j) => {
    if (!equal[i]?.[j]) return;
    const [left, right] = a.dtype === b.dtype ? [a.stored, b.stored] : [a.values, b.values];
    setBoth(equal, i, j, compareBytes(viewBytes(left), viewBytes(right)) === 0);
  });
}

function addBlock(
  parts: readonly BlockPart[],
  { rows, width }: RowBlock,
  { totals, isMatrix }: { readonly totals: Totals; readonly isMatrix: boolean },
): void {
  totals.elements += rows * width;
  for (const [i, { values }] of parts.entries()) {
    add(totals.nonFinite, i, dropNonFinite(values));
    addPowersInto(values, at(totals.powers, i, "network"));
  }
  if (isMatrix && totals.counted < COUNTED_ROWS && width >= COUNTED_WIDTH) {
    const step = Math.max(1, Math.floor(rows / COUNTED_ROWS));
    for (let row = 0; row < rows && totals.counted < COUNTED_ROWS; row += step) {
      totals.counted++;
      for (const [i, { values }] of parts.entries())
        add(totals.coarse, i, Number(isCoarse(values.subarray(row * width, (row + 1) * width))));
    }
  }
  forPairs(parts, ({ values: x }, { values: y }, i, j) => addBoth(totals.products, i, j, innerProduct(x, y)));
  const base = parts[totals.base]?.values;
  if (base !== undefined)
    forPairs(parts, ({ values: x }, { values: y }, i, j) => {
      if (i !== j) addOverlapInto(base, x, y, at(at(totals.overlaps, i, "row"), j, "sum"));
    });
  if (!isMatrix || rows < 2) return;
  const centred = parts.map(({ values }) => {
    const out = new Float32Array(values.length);
    centreRowsInto(values, rows, width, out);
    return { out, long: countLongRows(out, rows, width) };
  });
  forPairs(centred, (x, y, i, j) => {
    addBoth(totals.cosines, i, j, innerProduct(x.out, y.out));
    addBoth(totals.rows, i, j, Math.max(x.long, y.long));
  });
}

/** Computes the excess kurtosis from sums of powers: 0 for normal numbers, more for many outliers. */
function kurtosisOf(powers: Float64Array, count: number): number {
  const [mean = 0, second = 0, third = 0, fourth = 0] = powers.map((total) => total / count);
  const variance = second - mean ** 2;
  if (!(variance > 1e-12 * second)) return 0;
  return (fourth - 4 * mean * third + 6 * mean ** 2 * second - 3 * mean ** 4) / variance ** 2 - 3;
}

function meanCosines({ cosines, rows }: Totals): number[][] | null {
  if (rows.every((row) => row.every((count) => count === 0))) return null;
  return cosines.map((row, i) =>
    row.map((total, j) => total / Math.max(1, at(at(rows, i, "row"), j, "count"))),
  );
}

/** Calls a function with every two items, and with each item and itself. */
function forPairs<T>(items: readonly T[], use: (a: T, b: T, i: number, j: number) => void): void {
  for (const [i, a] of items.entries()) {
    for (const [k, b] of items.slice(i).entries()) use(a, b, i, i + k);
  }
}

function add(list: number[], i: number, value: number): void {
  list[i] = at(list, i, "number") + value;
}

function addBoth(table: number[][], i: number, j: number, value: number): void {
  setBoth(table, i, j, at(at(table, i, "row"), j, "number") + value);
}

function setBoth<T>(table: T[][], i: number, j: number, value: T): void {
  const [row, column] = [table[i], table[j]];
  if (row !== undefined) row[j] = value;
  if (column !== undefined) column[i] = value;
}

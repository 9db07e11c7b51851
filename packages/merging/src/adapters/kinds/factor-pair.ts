import { at, MismatchError, sizeOf, type TensorInfo } from "@isthmus/core";
import { createMatrix, type Matrix, multiply, transposeMatrix } from "@isthmus/linear-algebra";
import type { ChangeRows, Factors, FactorType } from "../factors.ts";
import type { FactorParts } from "./factor-kind.ts";

/** A matrix of a change that is stored as a product, `left * right`, or whole. */
export interface FactorPair {
  /** Number of rows. */
  readonly rows: number;
  /** Extents after the first, whose product is the number of columns. */
  readonly inner: readonly number[];
  /** Number of columns. */
  readonly columns: number;
  /** Columns of `left` and rows of `right`; the smaller extent for a matrix that is stored whole. */
  readonly rank: number;
  /** Computes the two factors, `[rows, rank]` and `[rank, columns]`. */
  readonly read: (type: FactorType) => Promise<Factors>;
}

/** Roles of the tensors of a pair. */
export interface PairRoles {
  /** `[rows, rank]`, or `[rank, rows]` if there is a core. */
  readonly left: string;
  /** `[rank, columns]`. */
  readonly right: string;
  /** Core of a Tucker decomposition, `[rank, rank, height, width]`, which a file need not have. */
  readonly core?: string;
}

/**
 * Opens a pair of factors, with the core of a Tucker decomposition if the file has one: `W[p, r, k, l] = sum
 * over i, j of core[i, j, k, l] * left[i, p] * right[j, r]`, which is a product of `left` with what the core
 * and `right` make.
 *
 * Source: LyCORIS, `rebuild_tucker`; PEFT, `make_weight_cp`.
 * @param hasLeftOfRows - whether `left` is `[rows, rank]` beside a core, too, as in LoCon
 * @throws MismatchError if a factor is missing, or the shapes do not fit each other
 */
export function openPair(parts: FactorParts, roles: PairRoles, hasLeftOfRows = false): FactorPair {
  const [left, right] = [infoOf(parts, roles.left), infoOf(parts, roles.right)];
  const core = roles.core === undefined ? undefined : parts.tensors.get(roles.core);
  if (core === undefined) {
    const [rows = 0, rank = 0] = left.shape;
    if (rank !== right.shape[0] || sizeOf(left.shape.slice(2)) !== 1) throw misfit(parts, roles);
    const inner = right.shape.slice(1);
    const read = async (type: FactorType) => ({
      left: await parts.read(roles.left, type),
      right: await parts.read(roles.right, type),
    });
    return { rows, inner, columns: sizeOf(inner), rank: positive(rank, parts, roles), read };
  }
  const isTurned = !hasLeftOfRows;
  const [rank = 0, second = 0, ...kernel] = core.shape;
  const [rows, ofLeft] = isTurned ? [left.shape[1], left.shape[0]] : [left.shape[0], left.shape[1]];
  const [ofRight, columns = 0] = right.shape;
  const isPlain = [left, right].every(({ shape }) => sizeOf(shape.slice(2)) === 1);
  if (!isPlain || rank !== ofLeft || second !== ofRight || rows === undefined) throw misfit(parts, roles);
  return {
    rows,
    inner: [columns, ...kernel],
    columns: columns * sizeOf(kernel),
    rank: positive(rank, parts, roles),
    async read(type) {
      const factor = await parts.read(roles.left, type);
      const mixed = mixCore(await parts.read(roles.core ?? "", type), await parts.read(roles.right, type));
      return { left: isTurned ? transposeMatrix(factor) : factor, right: mixed };
    },
  };
}

/** Opens a matrix that is stored whole: as the product of itself with the identity of its smaller side. */
export function openWhole(parts: FactorParts, role: string): FactorPair {
  const [rows = 0, ...inner] = infoOf(parts, role).shape;
  const columns = sizeOf(inner);
  const rank = positive(Math.min(rows, columns), parts, { left: role, right: role });
  return {
    rows,
    inner,
    columns,
    rank,
    async read(type) {
      const matrix = await parts.read(role, type);
      return rows <= columns
        ? { left: identity(rows, type), right: matrix }
        : { left: matrix, right: identity(columns, type) };
    },
  };
}

/** Reads a pair, and returns a function that computes rows of its product. */
export async function rowsOfPair(pair: FactorPair, type: FactorType): Promise<ChangeRows> {
  const { left, right } = await pair.read(type);
  return (top, bottom) => multiply(rowsOf(left, top, bottom), right).data;
}

/** Copies rows `[top, bottom)` of a matrix. */
export function rowsOf(matrix: Matrix, top: number, bottom: number): Matrix {
  const { columns } = matrix;
  return createMatrix(bottom - top, columns, matrix.data.slice(top * columns, bottom * columns));
}

/** Makes an identity matrix. */
function identity(size: number, type: FactorType): Matrix {
  const data = zeros(size * size, type);
  for (let i = 0; i < size; i++) data[i * (size + 1)] = 1;
  return createMatrix(size, size, data);
}

/** Makes factors of full rank: the change itself, and the identity of its smaller side. */
export async function wholeFactors(
  { rows, columns }: { readonly rows: number; readonly columns: number },
  readRows: (type: FactorType) => Promise<ChangeRows>,
  type: FactorType,
): Promise<Factors> {
  const whole = createMatrix(rows, columns, (await readRows(type))(0, rows));
  return rows <= columns
    ? { left: identity(rows, type), right: whole }
    : { left: whole, right: identity(columns, type) };
}

/** Allocates zeros of an element type. */
export function zeros(length: number, type: FactorType): Matrix["data"] {
  return type === "f64" ? new Float64Array(length) : new Float32Array(length);
}

/** Multiplies a core, `[rank, rank * kernel]`, by `right`, `[rank, columns]`: `[rank, columns * kernel]`. */
function mixCore(core: Matrix, right: Matrix): Matrix {
  const kernel = core.columns / right.rows;
  const mixed = core.data.slice(0, 0);
  const Elements = mixed instanceof Float64Array ? Float64Array : Float32Array;
  const data = new Elements(core.rows * right.columns * kernel);
  for (let i = 0; i < core.rows; i++) {
    const slice = createMatrix(right.rows, kernel, rowsOf(core, i, i + 1).data);
    data.set(multiply(right, slice, { transposeLeft: true }).data, i * right.columns * kernel);
  }
  return createMatrix(core.rows, right.columns * kernel, data);
}

/**
 * Finds a tensor of a module.
 * @throws MismatchError if it is missing, or has one extent only
 */
function infoOf({ tensors, source, module }: FactorParts, role: string): TensorInfo {
  const info = tensors.get(role);
  if (info !== undefined && info.shape.length >= 2 && sizeOf(info.shape) > 0) return info;
  const problem = info === undefined ? `it lacks ${role}` : `${role} is [${info.shape}]`;
  throw new MismatchError(
    `Cannot use adapter "${source}" as module "${module}" must have all factors of its change, each a matrix: ${problem}`,
    { parameters: [module] },
  );
}

function positive(rank: number, parts: FactorParts, roles: PairRoles): number {
  if (rank > 0) return rank;
  throw misfit(parts, roles);
}

function misfit({ tensors, source, module }: FactorParts, roles: PairRoles): MismatchError {
  const shapes = Object.values(roles).flatMap((role: string) => {
    const info = tensors.get(role);
    return info === undefined ? [] : [`${role} [${info.shape}]`];
  });
  return new MismatchError(
    `Cannot use adapter "${source}" as the factors of "${module}" must have one rank of at least 1: they are ${shapes.join(", ")}`,
    { parameters: [module] },
  );
}

/** Returns the element type of the first tensor of a module. */
export function dtypeOf({ tensors }: FactorParts): TensorInfo["dtype"] {
  return at([...tensors.values()], 0, "tensor").dtype;
}

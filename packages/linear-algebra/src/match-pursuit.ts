import { at, OutOfRangeError } from "@isthmus/core";
import { type Matrix, zerosLike } from "./matrix.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";

/** Vectors from which a sparse combination may be made, read in blocks of rows. */
export interface PursuitAtoms {
  /** Number of vectors. */
  readonly rows: number;
  /** Length of each vector. */
  readonly columns: number;
  /**
   * Reads all vectors in their order, in blocks of f32. It is called once for each vector of a combination.
   * Products of blocks of some MB are the fastest: larger ones are written to memory that is new each time.
   * @returns blocks, each with the position of its first vector
   */
  blocks(): AsyncIterable<AtomBlock>;
}

/** Consecutive vectors among those from which a combination is made. */
export interface AtomBlock {
  /** Position of the first vector. */
  readonly first: number;
  /** Vectors, `[rows, columns]`, in f32. */
  readonly block: Matrix;
}

/** Options of {@link matchPursuit}. */
export interface MatchPursuitOptions {
  /** Multiplier of matrices. */
  readonly products: MatrixProducts;
  /** Most vectors of one combination. @defaultValue 64 */
  readonly most?: number;
  /** Share of the norm of a target below which its rest counts as rounding. @defaultValue 1e-6 */
  readonly tolerance?: number;
  /**
   * Whether vectors are chosen by their cosine with the rest of a target, and not by the product, which
   * favours long vectors. @defaultValue false
   */
  readonly byCosine?: boolean;
  /** Called after each block of vectors, with the share of the work that is done. @defaultValue not told */
  readonly onProgress?: ((done: number) => void) | undefined;
  /** Signal that stops the work between two blocks. @defaultValue none */
  readonly signal?: AbortSignal | undefined;
}

/** Sparse combinations of vectors, one for each target. */
export interface MatchPursuitResult {
  /** `[targets, most]`: positions of the chosen vectors, by order of choice; -1 if fewer were needed. */
  readonly indices: Int32Array;
  /** `[targets, most]`: coefficient of each chosen vector; 0 if fewer were needed. */
  readonly coefficients: Float64Array;
  /** `[targets]`: norm of the rest of each target as a share of the target's norm; 0 for zeros. */
  readonly residuals: Float64Array;
}

/** Share of a vector's norm below which it counts as a combination of the vectors chosen before it. */
const DEPENDENT = 1e-5;

/**
 * Approximates vectors by sparse combinations of others, by orthogonal matching pursuit: the vector with the
 * largest product with the rest of a target is added to its combination, and all coefficients are fitted
 * anew by least squares, until the combination is full or nothing is left.
 *
 * Products with all vectors are made in f32 by `products`; the chosen vectors are made orthogonal twice, with
 * sums in f64, so that the fit stays accurate. The first of equal products wins, so that the result does not
 * depend on the sizes of blocks.
 *
 * Differs from mergekit 0.1.5: a combination ends if the rest is rounding. mergekit always takes `most`
 * vectors, divides by rests of 1e-8 once the chosen vectors span the target, and then gets huge coefficients,
 * for example if `most` exceeds the length of the vectors.
 *
 * Source: Pati, Rezaiifar and Krishnaprasad, Orthogonal matching pursuit, 1993.
 *
 * @param targets - `[targets, columns]`, in f32
 * @throws OutOfRangeError if vectors and targets differ in length
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createMatrix, matchPursuit, plainProducts } from "@isthmus/linear-algebra";
 *
 * const block = createMatrix(3, 3, Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1));
 * const atoms = { rows: 3, columns: 3, async *blocks() { yield { first: 0, block }; } };
 * const target = createMatrix(1, 3, Float32Array.of(0, -3, 4));
 * const { indices, coefficients } = await matchPursuit(target, atoms, { most: 2, products: plainProducts });
 * assert.deepEqual([[...indices], [...coefficients]], [[2, 1], [4, -3]]);
 * ```
 */
export async function matchPursuit(
  targets: Matrix,
  atoms: PursuitAtoms,
  { products, most = 64, tolerance = 1e-6, byCosine = false, onProgress, signal }: MatchPursuitOptions,
): Promise<MatchPursuitResult> {
  if (targets.columns !== atoms.columns) {
    throw new OutOfRangeError(
      `Cannot approximate vectors as they and the vectors to combine must have one length: they have ${targets.columns} and ${atoms.columns}`,
    );
  }
  const state = createState(targets, most, tolerance);
  for (let step = 0; step < most && state.active.size > 0; step++) {
    const choice = await chooseAtoms(state, atoms, {
      products,
      byCosine,
      onBlock(end) {
        signal?.throwIfAborted();
        onProgress?.((step + end / atoms.rows) / most);
      },
    });
    for (const target of [...state.active]) addAtom(state, target, choice);
  }
  return { indices: state.indices, coefficients: solveCombinations(state), residuals: residualsOf(state) };
}

interface PursuitState {
  readonly targets: Matrix;
  readonly most: number;
  readonly tolerance: number;
  /** Targets whose combinations are not complete. */
  readonly active: Set<number>;
  /** `[targets, columns]`: what the combinations leave of the targets. */
  readonly rests: Float64Array;
  /** `[targets, most, columns]`: orthonormal vectors of the span of each combination. */
  readonly basis: Float32Array;
  /** `[targets, most, most]`: column t has the parts of chosen vector t along the orthonormal vectors. */
  readonly upper: Float64Array;
  /** `[targets, most]`: part of each target along each orthonormal vector. */
  readonly parts: Float64Array;
  readonly counts: Int32Array;
  readonly indices: Int32Array;
  readonly norms: Float64Array;
}

function createState(targets: Matrix, most: number, tolerance: number): PursuitState {
  const { rows, columns, data } = targets;
  const rests = Float64Array.from(data);
  const norms = Float64Array.from({ length: rows }, (_, i) =>
    normOf(rests.subarray(i * columns, (i + 1) * columns)),
  );
  return {
    targets,
    most,
    tolerance,
    active: new Set([...norms.keys()].filter((i) => at(norms, i) > 0 && Number.isFinite(at(norms, i)))),
    rests,
    basis: new Float32Array(rows * most * columns),
    upper: new Float64Array(rows * most * most),
    parts: new Float64Array(rows * most),
    counts: new Int32Array(rows),
    indices: new Int32Array(rows * most).fill(-1),
    norms,
  };
}

/** The vector that each target takes next, by the position of the target. */
interface AtomChoice {
  readonly indices: Int32Array;
  /** `[targets, columns]`: elements of the chosen vectors. */
  readonly rows: Float32Array;
}

interface ChoiceOptions {
  readonly products: MatrixProducts;
  readonly byCosine: boolean;
  /** Called after each block, with the position behind its last vector. */
  readonly onBlock: (end: number) => void;
}

async function chooseAtoms(
  { targets, active, rests, indices, most }: PursuitState,
  atoms: PursuitAtoms,
  { products, byCosine, onBlock }: ChoiceOptions,
): Promise<AtomChoice> {
  const { rows, columns } = targets;
  const left = zerosLike(targets, active.size, columns);
  const contests = [...active].map((target, place): Contest => {
    left.data.set(rests.subarray(target * columns, (target + 1) * columns), place * columns);
    const taken = new Set(indices.subarray(target * most, (target + 1) * most));
    return { target, taken, index: -1, score: 0 };
  });
  const chosen = new Float32Array(rows * columns);
  for await (const { first, block } of atoms.blocks()) {
    const scores = await products.multiply(left, block, { transposeRight: true });
    if (byCosine) divideColumns(scores, lengthsOf(block));
    for (const [place, contest] of contests.entries()) {
      const row = improve(contest, scores.data, { begin: place * block.rows, count: block.rows, first });
      if (row < 0) continue;
      chosen.set(block.data.subarray(row * columns, (row + 1) * columns), contest.target * columns);
    }
    onBlock(first + block.rows);
  }
  const choice: AtomChoice = { indices: new Int32Array(rows).fill(-1), rows: chosen };
  for (const { target, index } of contests) choice.indices[target] = index;
  return choice;
}

/** The search for the next vector of one target. */
interface Contest {
  readonly target: number;
  /** Positions of the vectors that its combination has. */
  readonly taken: ReadonlySet<number>;
  /** Position of the best vector so far; -1 before the first. */
  index: number;
  /** Size of its product with the rest of the target. */
  score: number;
}

interface ScoreRange {
  /** Place of the first score of the target. */
  readonly begin: number;
  readonly count: number;
  /** Position of the vector of the first score. */
  readonly first: number;
}

/**
 * Lets the vectors of a block compete for a target.
 * @returns row of the new best vector in the block; -1 if an earlier vector stays the best
 */
function improve(contest: Contest, scores: Matrix["data"], { begin, count, first }: ScoreRange): number {
  let row = -1;
  let { score } = contest;
  for (let i = 0; i < count; i++) {
    const value = Math.abs(scores[begin + i] as number);
    if (value > score && !contest.taken.has(first + i)) {
      row = i;
      score = value;
    }
  }
  if (row >= 0) {
    contest.index = first + row;
    contest.score = score;
  }
  return row;
}

/** Divides each column by a length, in place; columns of zeros become NaN, which no comparison chooses. */
function divideColumns({ rows, columns, data }: Matrix, lengths: Float64Array): void {
  for (let row = 0; row < rows; row++) {
    for (let i = 0, at = row * columns; i < columns; i++, at++) {
      data[at] = (data[at] as number) / (lengths[i] as number);
    }
  }
}

function lengthsOf({ rows, columns, data }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => normOf(data.subarray(i * columns, (i + 1) * columns)));
}

/** Adds the chosen vector to the combination of a target, or ends the combination if nothing is gained. */
function addAtom(state: PursuitState, target: number, choice: AtomChoice): void {
  const { targets, most, rests, basis, upper, parts, counts, indices, active, norms, tolerance } = state;
  const { columns } = targets;
  const count = at(counts, target);
  const index = at(choice.indices, target);
  const atom = Float64Array.from(choice.rows.subarray(target * columns, (target + 1) * columns));
  const norm = normOf(atom);
  const ofTarget = basis.subarray(target * most * columns, (target + 1) * most * columns);
  const along = new Float64Array(count);
  // Twice is enough (Giraud, Langou and Rozloznik, 2005): one pass leaves the rounding of large parts.
  for (let pass = 0; pass < 2; pass++) {
    for (let j = 0; j < count; j++) {
      const axis = ofTarget.subarray(j * columns, (j + 1) * columns);
      const part = dot(axis, atom);
      along[j] = at(along, j) + part;
      subtract(atom, axis, part);
    }
  }
  const rest = normOf(atom);
  if (index < 0 || !(rest > DEPENDENT * norm)) {
    active.delete(target);
    return;
  }
  const axis = ofTarget.subarray(count * columns, (count + 1) * columns);
  for (let i = 0; i < columns; i++) axis[i] = at(atom, i) / rest;
  const left = rests.subarray(target * columns, (target + 1) * columns);
  const part = dot(axis, left);
  subtract(left, axis, part);
  for (let j = 0; j < count; j++) upper[(target * most + j) * most + count] = at(along, j);
  upper[(target * most + count) * most + count] = rest;
  parts[target * most + count] = part;
  indices[target * most + count] = index;
  counts[target] = count + 1;
  if (normOf(left) <= tolerance * at(norms, target)) active.delete(target);
}

/** Solves the triangular systems that give the coefficients of the chosen vectors. */
function solveCombinations({ targets: { rows }, most, upper, parts, counts }: PursuitState): Float64Array {
  const coefficients = new Float64Array(rows * most);
  for (let target = 0; target < rows; target++) {
    for (let i = at(counts, target) - 1; i >= 0; i--) {
      const row = (target * most + i) * most;
      let value = at(parts, target * most + i);
      for (let j = i + 1; j < at(counts, target); j++) {
        value -= at(upper, row + j) * at(coefficients, target * most + j);
      }
      coefficients[target * most + i] = value / at(upper, row + i);
    }
  }
  return coefficients;
}

function residualsOf({ targets: { rows, columns }, rests, norms }: PursuitState): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => {
    const norm = at(norms, i);
    return norm === 0 ? 0 : normOf(rests.subarray(i * columns, (i + 1) * columns)) / norm;
  });
}

function normOf(vector: Float32Array | Float64Array): number {
  return Math.sqrt(dot(vector, vector));
}

function dot(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** Subtracts `factor * axis` from a vector, in place. */
function subtract(vector: Float64Array, axis: Float32Array, factor: number): void {
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) - factor * (axis[i] as number);
}

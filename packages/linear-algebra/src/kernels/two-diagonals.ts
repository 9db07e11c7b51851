/** A matrix `[n, n]` with a diagonal and the elements right of it, and rows that get the same rotations. */
export interface TwoDiagonals {
  /** Diagonal, `[n]`. */
  readonly diagonal: Float64Array;
  /** Elements right of the diagonal, `[n - 1]`. */
  readonly beside: Float64Array;
  /** Rows `[n, any]` that become left singular vectors. */
  readonly left: RowSet;
  /** Rows `[n, any]` that become right singular vectors. */
  readonly right: RowSet;
}

/** Rows of one length, one after another. */
export interface RowSet {
  /** Elements of all rows. */
  readonly data: Float64Array;
  /** Length of a row. */
  readonly length: number;
}

/** Number of sweeps for one singular value after which the iteration must have converged; two are usual. */
const SWEEPS = 100;

/**
 * Diagonalizes two diagonals in place by QR sweeps with implicit shifts; afterwards the diagonal holds the
 * singular values, at least 0 and in no order.
 *
 * Source: Demmel and Kahan, Accurate singular values of bidiagonal matrices, 1990 (`dbdsqr` of LAPACK). We
 * differ in sweeping downwards always.
 */
export function diagonalizeTwo(matrix: TwoDiagonals): void {
  const { diagonal, beside, right } = matrix;
  const n = diagonal.length;
  // Singular values need no better accuracy than rounding of the largest one.
  const tiny = 0.5 * Number.EPSILON * Math.max(sizeOf(diagonal), sizeOf(beside));
  let end = n - 1;
  for (let sweep = 0; end > 0 && sweep < SWEEPS * n; sweep++) {
    for (let i = 0; i < end; i++) if (Math.abs(beside[i]!) <= tiny) beside[i] = 0;
    while (end > 0 && beside[end - 1] === 0) end--;
    if (end === 0) break;
    let begin = end - 1;
    while (begin > 0 && beside[begin - 1] !== 0) begin--;
    const shift = shiftOf(matrix, begin, end, tiny);
    if (shift === 0) sweepWithoutShift(matrix, begin, end);
    else sweepWithShift(matrix, { begin, end, shift });
  }
  for (let i = 0; i < n; i++) {
    if (diagonal[i]! >= 0) continue;
    diagonal[i] = -diagonal[i]!;
    for (let j = i * right.length; j < (i + 1) * right.length; j++) right.data[j] = -right.data[j]!;
  }
}

function sizeOf(values: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  return largest;
}

/** Returns the smaller singular value of the last 2 x 2 block, or 0 if a shift would lose digits. */
function shiftOf({ diagonal, beside }: TwoDiagonals, begin: number, end: number, tiny: number): number {
  for (let i = begin; i <= end; i++) if (Math.abs(diagonal[i]!) <= tiny) return 0;
  const [f, g, h] = [diagonal[end - 1]!, beside[end - 1]!, diagonal[end]!];
  const sum = Math.hypot(f + h, g);
  const difference = Math.hypot(f - h, g);
  const shift = (2 * Math.abs(f * h)) / (sum + difference);
  return (shift / diagonal[begin]!) ** 2 < Number.EPSILON ? 0 : shift;
}

/** Makes a sweep that keeps all digits of small singular values, and clears a zero on the diagonal. */
function sweepWithoutShift(
  { diagonal, beside, left, right }: TwoDiagonals,
  begin: number,
  end: number,
): void {
  let cosine = 1;
  let [oldCosine, oldSine] = [1, 0];
  for (let i = begin; i < end; i++) {
    const f = diagonal[i]! * cosine;
    const g = beside[i]!;
    const r = Math.hypot(f, g);
    cosine = r === 0 ? 1 : f / r;
    const sine = r === 0 ? 0 : g / r;
    if (i > begin) beside[i - 1] = oldSine * r;
    rotateRows(right, i, cosine, sine);
    const next = diagonal[i + 1]! * sine;
    const length = Math.hypot(oldCosine * r, next);
    [oldCosine, oldSine] = length === 0 ? [1, 0] : [(oldCosine * r) / length, next / length];
    diagonal[i] = length;
    rotateRows(left, i, oldCosine, oldSine);
  }
  const last = diagonal[end]! * cosine;
  diagonal[end] = last * oldCosine;
  beside[end - 1] = last * oldSine;
}

function sweepWithShift(
  { diagonal, beside, left, right }: TwoDiagonals,
  { begin, end, shift }: { readonly begin: number; readonly end: number; readonly shift: number },
): void {
  const head = diagonal[begin]!;
  let f = (Math.abs(head) - shift) * (Math.sign(head) + shift / head);
  let g = beside[begin]!;
  for (let i = begin; i < end; i++) {
    const r = Math.hypot(f, g);
    const cosine = r === 0 ? 1 : f / r;
    const sine = r === 0 ? 0 : g / r;
    if (i > begin) beside[i - 1] = r;
    f = cosine * diagonal[i]! + sine * beside[i]!;
    beside[i] = cosine * beside[i]! - sine * diagonal[i]!;
    g = sine * diagonal[i + 1]!;
    diagonal[i + 1] = cosine * diagonal[i + 1]!;
    rotateRows(right, i, cosine, sine);
    const length = Math.hypot(f, g);
    const ofLeft = length === 0 ? 1 : f / length;
    const sineOfLeft = length === 0 ? 0 : g / length;
    diagonal[i] = length;
    f = ofLeft * beside[i]! + sineOfLeft * diagonal[i + 1]!;
    diagonal[i + 1] = ofLeft * diagonal[i + 1]! - sineOfLeft * beside[i]!;
    if (i < end - 1) {
      g = sineOfLeft * beside[i + 1]!;
      beside[i + 1] = ofLeft * beside[i + 1]!;
    }
    rotateRows(left, i, ofLeft, sineOfLeft);
  }
  beside[end - 1] = f;
}

/** Rotates row `i` and another one, the next if none is named. */
function rotateRows(
  { data, length }: RowSet,
  i: number,
  cosine: number,
  sine: number,
  other: number = i + 1,
): void {
  const [upper, lower] = [i * length, other * length];
  for (let j = 0; j < length; j++) {
    const x = data[upper + j]!;
    const y = data[lower + j]!;
    data[upper + j] = cosine * x + sine * y;
    data[lower + j] = cosine * y - sine * x;
  }
}

/**
 * Clears the last column of a matrix `[n, n + 1]` with two diagonals by rotations from the right, in place.
 * @param last - the element in the last column
 * @param right - rows `[n + 1, any]` that get the same rotations
 */
export function clearLastColumn({ diagonal, beside, right }: Omit<TwoDiagonals, "left">, last: number): void {
  const n = diagonal.length;
  let rest = last;
  for (let j = n - 1; j >= 0; j--) {
    const r = Math.hypot(diagonal[j]!, rest);
    const cosine = r === 0 ? 1 : diagonal[j]! / r;
    const sine = r === 0 ? 0 : rest / r;
    diagonal[j] = r;
    rotateRows(right, j, cosine, sine, n);
    if (j === 0) break;
    rest = -sine * beside[j - 1]!;
    beside[j - 1] = cosine * beside[j - 1]!;
  }
}

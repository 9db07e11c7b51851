// Steps of the reduction of a matrix to two or three diagonals, for WebAssembly SIMD.
//
// All arrays are of f64. A panel holds what the matrix that lines are read from still lacks: the sum of `V^T Y + X^T U`
// over the earlier rows of the panel. V and U are reflections, Y and X updates. A symmetric matrix has V = U and X = Y.

/** First address of the memory that callers may put their data in. */
export const base: usize = (__heap_base + 63) & ~63;

// @ts-ignore: decorator
@inline function at(address: usize, index: i32): usize {
  return address + (<usize>index << 3);
}

/** Returns the sum of products of elements `[begin, n)` of two rows. */
function inner(x: usize, y: usize, begin: i32, n: i32): f64 {
  let sum0 = f64x2.splat(0);
  let sum1 = f64x2.splat(0);
  let j = begin;
  for (; j + 4 <= n; j += 4) {
    sum0 = f64x2.add(sum0, f64x2.mul(v128.load(at(x, j)), v128.load(at(y, j))));
    sum1 = f64x2.add(sum1, f64x2.mul(v128.load(at(x, j), 16), v128.load(at(y, j), 16)));
  }
  sum0 = f64x2.add(sum0, sum1);
  let sum = f64x2.extract_lane(sum0, 0) + f64x2.extract_lane(sum0, 1);
  for (; j < n; j++) sum += load<f64>(at(x, j)) * load<f64>(at(y, j));
  return sum;
}

/** Adds multiples of two rows to elements `[begin, n)` of another. */
function addTwo(to: usize, a: f64, x: usize, b: f64, y: usize, begin: i32, n: i32): void {
  const a2 = f64x2.splat(a);
  const b2 = f64x2.splat(b);
  let j = begin;
  for (; j + 2 <= n; j += 2) {
    const change = f64x2.add(f64x2.mul(a2, v128.load(at(x, j))), f64x2.mul(b2, v128.load(at(y, j))));
    v128.store(at(to, j), f64x2.add(v128.load(at(to, j)), change));
  }
  for (; j < n; j++) {
    store<f64>(at(to, j), load<f64>(at(to, j)) + (a * load<f64>(at(x, j)) + b * load<f64>(at(y, j))));
  }
}

/**
 * Takes away from elements `[begin, length)` of a line what the first `count` rows of a panel change of it.
 *
 * @param ofP - address of the line's element in the first row of the panel that goes with P
 * @param strideP - bytes from that element to the one in the next row
 * @param ofQ - the same for Q
 */
export function bringUpToDate(
  line: usize,
  ofP: usize,
  strideP: usize,
  p: usize,
  ofQ: usize,
  strideQ: usize,
  q: usize,
  length: i32,
  begin: i32,
  count: i32,
): void {
  for (let k = 0; k < count; k++) {
    const a = -load<f64>(ofP + <usize>k * strideP);
    const b = -load<f64>(ofQ + <usize>k * strideQ);
    addTwo(line, a, at(p, k * length), b, at(q, k * length), begin, length);
  }
}

/** Adds to `out` what a small square on the diagonal, of which the upper half is read, contributes to a product. */
function multiplyCorner(data: usize, x: usize, out: usize, begin: i32, end: i32, n: i32): void {
  for (let i = begin; i < end; i++) {
    let sum: f64 = load<f64>(at(out, i));
    for (let j = begin; j < end; j++) {
      sum += load<f64>(at(data, min(i, j) * n + max(i, j))) * load<f64>(at(x, j));
    }
    store<f64>(at(out, i), sum);
  }
}

/**
 * Computes the product of the rows and columns `[begin, n)` of a symmetric matrix, of which the upper half is read, and
 * a vector; four rows at a time, as reading the matrix is what takes the time.
 */
function multiplySymmetric(data: usize, x: usize, out: usize, begin: i32, n: i32): void {
  memory.fill(at(out, begin), 0, <usize>(n - begin) << 3);
  const stride = <usize>n << 3;
  let i = begin;
  for (; i + 4 <= n; i += 4) {
    multiplyCorner(data, x, out, i, i + 4, n);
    const x0 = v128.load64_splat(at(x, i));
    const x1 = v128.load64_splat(at(x, i + 1));
    const x2 = v128.load64_splat(at(x, i + 2));
    const x3 = v128.load64_splat(at(x, i + 3));
    let s0 = f64x2.splat(0);
    let s1 = f64x2.splat(0);
    let s2 = f64x2.splat(0);
    let s3 = f64x2.splat(0);
    let j = i + 4;
    let p = at(data, i * n + j);
    for (; j + 2 <= n; j += 2) {
      const a0 = v128.load(p);
      const a1 = v128.load(p + stride);
      const a2 = v128.load(p + 2 * stride);
      const a3 = v128.load(p + 3 * stride);
      const y = v128.load(at(x, j));
      s0 = f64x2.add(s0, f64x2.mul(a0, y));
      s1 = f64x2.add(s1, f64x2.mul(a1, y));
      s2 = f64x2.add(s2, f64x2.mul(a2, y));
      s3 = f64x2.add(s3, f64x2.mul(a3, y));
      const first = f64x2.add(f64x2.mul(a0, x0), f64x2.mul(a1, x1));
      const second = f64x2.add(f64x2.mul(a2, x2), f64x2.mul(a3, x3));
      v128.store(at(out, j), f64x2.add(v128.load(at(out, j)), f64x2.add(first, second)));
      p += 16;
    }
    let t0 = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
    let t1 = f64x2.extract_lane(s1, 0) + f64x2.extract_lane(s1, 1);
    let t2 = f64x2.extract_lane(s2, 0) + f64x2.extract_lane(s2, 1);
    let t3 = f64x2.extract_lane(s3, 0) + f64x2.extract_lane(s3, 1);
    if (j < n) {
      const a0 = load<f64>(p);
      const a1 = load<f64>(p + stride);
      const a2 = load<f64>(p + 2 * stride);
      const a3 = load<f64>(p + 3 * stride);
      const y = load<f64>(at(x, j));
      t0 += a0 * y;
      t1 += a1 * y;
      t2 += a2 * y;
      t3 += a3 * y;
      const first = a0 * load<f64>(at(x, i)) + a1 * load<f64>(at(x, i + 1));
      const second = a2 * load<f64>(at(x, i + 2)) + a3 * load<f64>(at(x, i + 3));
      store<f64>(at(out, j), load<f64>(at(out, j)) + (first + second));
    }
    store<f64>(at(out, i), load<f64>(at(out, i)) + t0);
    store<f64>(at(out, i + 1), load<f64>(at(out, i + 1)) + t1);
    store<f64>(at(out, i + 2), load<f64>(at(out, i + 2)) + t2);
    store<f64>(at(out, i + 3), load<f64>(at(out, i + 3)) + t3);
  }
  multiplyCorner(data, x, out, i, n, n);
}

/**
 * Takes away from elements `[begin, length)` of a product what it lacks: `P^T (R x) + Q^T (S x)`.
 *
 * @param countR - number of rows of P and R
 * @param countS - number of rows of Q and S, at most as many
 */
export function correctProduct(
  out: usize,
  p: usize,
  q: usize,
  length: i32,
  begin: i32,
  x: usize,
  r: usize,
  s: usize,
  lengthX: i32,
  beginX: i32,
  countR: i32,
  countS: i32,
): void {
  for (let e = 0; e < countR; e++) {
    const ofR = inner(at(r, e * lengthX), x, beginX, lengthX);
    if (e >= countS) {
      addTwo(out, -ofR, at(p, e * length), 0, at(p, e * length), begin, length);
      continue;
    }
    const ofS = inner(at(s, e * lengthX), x, beginX, lengthX);
    addTwo(out, -ofR, at(p, e * length), -ofS, at(q, e * length), begin, length);
  }
}

/**
 * Computes row `k` of W from row `k` of V, a reflection whose elements before `begin` are zero, and the earlier rows.
 *
 * @param scale - the reflection is `I - scale v v^T`
 */
export function addUpdate(data: usize, v: usize, w: usize, k: i32, begin: i32, n: i32, scale: f64): void {
  const x = at(v, k * n);
  const out = at(w, k * n);
  multiplySymmetric(data, x, out, begin, n);
  correctProduct(out, v, w, n, begin, x, w, v, n, begin, k, k);
  // Half of what lies along the reflection is counted twice, in V^T W and in W^T V.
  const along = -0.5 * scale * scale * inner(out, x, begin, n);
  for (let j = begin; j < n; j++) store<f64>(at(out, j), scale * load<f64>(at(out, j)) + along * load<f64>(at(x, j)));
}

/** Computes elements `[begin, n)` of the product of a vector and the rows `[top, m)` of a matrix, four rows at a time. */
export function multiplyColumns(data: usize, x: usize, out: usize, top: i32, m: i32, begin: i32, n: i32): void {
  memory.fill(at(out, begin), 0, <usize>(n - begin) << 3);
  const stride = <usize>n << 3;
  let i = top;
  for (; i + 4 <= m; i += 4) {
    const x0 = v128.load64_splat(at(x, i));
    const x1 = v128.load64_splat(at(x, i + 1));
    const x2 = v128.load64_splat(at(x, i + 2));
    const x3 = v128.load64_splat(at(x, i + 3));
    let j = begin;
    let p = at(data, i * n + j);
    for (; j + 2 <= n; j += 2) {
      const first = f64x2.add(f64x2.mul(x0, v128.load(p)), f64x2.mul(x1, v128.load(p + stride)));
      const second = f64x2.add(f64x2.mul(x2, v128.load(p + 2 * stride)), f64x2.mul(x3, v128.load(p + 3 * stride)));
      v128.store(at(out, j), f64x2.add(v128.load(at(out, j)), f64x2.add(first, second)));
      p += 16;
    }
    if (j < n) {
      const first = load<f64>(at(x, i)) * load<f64>(p) + load<f64>(at(x, i + 1)) * load<f64>(p + stride);
      const second =
        load<f64>(at(x, i + 2)) * load<f64>(p + 2 * stride) + load<f64>(at(x, i + 3)) * load<f64>(p + 3 * stride);
      store<f64>(at(out, j), load<f64>(at(out, j)) + (first + second));
    }
  }
  for (; i < m; i++) addTwo(out, load<f64>(at(x, i)), at(data, i * n), 0, at(data, i * n), begin, n);
}

/** Computes the inner products of a vector and each of the rows `[top, m)` of a matrix, from element `begin` on. */
export function multiplyRows(data: usize, x: usize, out: usize, top: i32, m: i32, begin: i32, n: i32): void {
  for (let i = top; i < m; i++) store<f64>(at(out, i), inner(at(data, i * n), x, begin, n));
}

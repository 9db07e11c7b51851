import { createRandom, type Random } from "@isthmus/core";

/** Classes of square cost matrices, all to be minimised. */
export const COST_CLASSES = [
  "uniform",
  "corr1",
  "corr4",
  "independent",
  "corr1-norms",
  "corr4-norms",
  "independent-norms",
  "rank32-norms",
] as const;

export type CostClass = (typeof COST_CLASSES)[number];

/** Features of each unit: the inner dimension of X Y^T. */
const FEATURES = 256;
/** Standard deviation of the logarithm of row and column norms. */
const NORM_SIGMA = 0.7;

/** Float32 [rows, columns] of standard normals times `scale`. */
function normals(random: Random, rows: number, columns: number, scale = 1): Float32Array {
  return Float32Array.from({ length: rows * columns }, () => scale * random.normal());
}

/** -(A B^T) for f32 [n, d] and [n, d], added in f64 by blocks of rows. */
function negatedProducts(a: Float32Array, b: Float32Array, n: number, d: number): Float32Array {
  const out = new Float32Array(n * n);
  const block = 64;
  for (let j0 = 0; j0 < n; j0 += block) {
    for (let i = 0; i < n; ++i) {
      const p = i * d;
      for (let j = j0; j < Math.min(n, j0 + block); ++j) {
        const q = j * d;
        let s0 = 0;
        let s1 = 0;
        for (let k = 0; k < d; k += 2) {
          s0 += a[p + k]! * b[q + k]!;
          s1 += a[p + k + 1]! * b[q + k + 1]!;
        }
        out[i * n + j] = -(s0 + s1);
      }
    }
  }
  return out;
}

/** X Y^T where Y is a permuted X plus noise, negated: a planted matching. */
function correlated(random: Random, n: number, noise: number): Float32Array {
  const x = normals(random, n, FEATURES);
  const y = normals(random, n, FEATURES, noise);
  const order = random.shuffleInPlace(Int32Array.from({ length: n }, (_, i) => i));
  order.forEach((i, j) => {
    for (let k = 0; k < FEATURES; ++k) y[j * FEATURES + k]! += x[i * FEATURES + k]!;
  });
  return negatedProducts(x, y, n, FEATURES);
}

function independent(random: Random, n: number, d: number): Float32Array {
  return negatedProducts(normals(random, n, d), normals(random, n, d), n, d);
}

/** Scales rows and columns in place by log-normal norms. */
function scaleInPlace(random: Random, cost: Float32Array, n: number): Float32Array {
  const norm = (): number => Math.exp(NORM_SIGMA * random.normal());
  const row = Float64Array.from({ length: n }, norm);
  const column = Float64Array.from({ length: n }, norm);
  for (let i = 0; i < n; ++i) for (let j = 0; j < n; ++j) cost[i * n + j]! *= row[i]! * column[j]!;
  return cost;
}

/** The costs of a class, [n, n]. */
export function createCosts(kind: CostClass, n: number, seed: number): Float32Array {
  const random = createRandom(seed, `${kind} ${n}`);
  switch (kind) {
    case "uniform":
      return Float32Array.from({ length: n * n }, () => random.uniform());
    case "corr1":
      return correlated(random, n, 1);
    case "corr4":
      return correlated(random, n, 4);
    case "independent":
      return independent(random, n, FEATURES);
    case "corr1-norms":
      return scaleInPlace(random, correlated(random, n, 1), n);
    case "corr4-norms":
      return scaleInPlace(random, correlated(random, n, 4), n);
    case "independent-norms":
      return scaleInPlace(random, independent(random, n, FEATURES), n);
    case "rank32-norms": {
      const cost = independent(random, n, 32);
      for (let k = 0; k < cost.length; ++k) cost[k]! += random.normal();
      return scaleInPlace(random, cost, n);
    }
  }
}

/** The costs plus Gaussian noise of `share` of their standard deviation. */
export function perturbCosts(cost: Float32Array, share: number, seed: number): Float32Array {
  const random = createRandom(seed, "perturb");
  const mean = cost.reduce((sum, x) => sum + x, 0) / cost.length;
  const deviation = Math.sqrt(cost.reduce((sum, x) => sum + (x - mean) ** 2, 0) / cost.length);
  return cost.map((x) => x + share * deviation * random.normal());
}

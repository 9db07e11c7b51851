import { createRandom, type Random } from "@isthmus/core";

type Entry = (random: Random, i: number, j: number, n: number) => number;

function fill(entry: Entry): (n: number) => Float32Array {
  return (n) => {
    const random = createRandom(n, "adversarial");
    return Float32Array.from({ length: n * n }, (_, k) => entry(random, Math.floor(k / n), k % n, n));
  };
}

/** Rows and columns read through `map`: duplicates where it maps several to one. */
function repeated(
  rowOf: (i: number) => number,
  columnOf: (j: number) => number,
): (n: number) => Float32Array {
  return (n) => {
    const random = createRandom(n, "repeated");
    const base = Float32Array.from({ length: n * n }, () => random.normal());
    return base.map((_, k) => base[rowOf(Math.floor(k / n)) * n + columnOf(k % n)]!);
  };
}

/** Factors of rows and columns, drawn once for each size. */
function factored(of: (random: Random) => number, entry: (a: number, b: number, x: number) => number) {
  return (n: number): Float32Array => {
    const random = createRandom(n, "factored");
    const a = Float64Array.from({ length: n }, () => of(random));
    const b = Float64Array.from({ length: n }, () => of(random));
    return Float32Array.from({ length: n * n }, (_, k) =>
      entry(a[Math.floor(k / n)]!, b[k % n]!, random.normal()),
    );
  };
}

/** Matrices on which assignment solvers go wrong or slow: name and maker of [n, n]. */
export const ADVERSARIAL_COSTS: readonly (readonly [string, (n: number) => Float32Array])[] = [
  ["zeros", fill(() => 0)],
  ["a constant", fill(() => -7.25)],
  ["one entry that is not 0", fill((_, i, j) => (i === 3 && j === 5 ? -1 : 0))],
  ["one row that is not 0", fill((random, i) => (i === 3 ? random.normal() : 0))],
  ["one column that is not 0", fill((random, _, j) => (j === 3 ? random.normal() : 0))],
  ["two integers", fill((random) => random.integer(2))],
  ["ten integers", fill((random) => random.integer(10))],
  ["a thousand integers", fill((random) => random.integer(1000))],
  ["integers to 2^24", fill((random) => random.integer(2 ** 24))],
  ["signed integers", fill((random) => random.integer(21) - 10)],
  [
    "equal rows",
    repeated(
      (i) => i >> 3,
      (j) => j,
    ),
  ],
  [
    "equal columns",
    repeated(
      (i) => i,
      (j) => j >> 3,
    ),
  ],
  [
    "equal rows and columns",
    repeated(
      (i) => i >> 3,
      (j) => j >> 3,
    ),
  ],
  ["10^30 of both signs", fill((random) => 1e30 * random.normal())],
  ["10^-30 of both signs", fill((random) => 1e-30 * random.normal())],
  [
    "powers of ten of both signs",
    fill((random) => 10 ** (60 * random.uniform() - 30) * (random.integer(2) * 2 - 1)),
  ],
  ["denormal numbers", fill((random) => 1e-40 * random.uniform())],
  ["numbers near the largest", fill((random) => 3e37 * random.normal())],
  [
    "the largest number and its opposite",
    fill((random) => (random.integer(2) === 0 ? 1 : -1) * 3.4028234e38),
  ],
  ["an offset of 10^4", fill((random) => 1e4 + random.uniform())],
  ["an offset of 10^7", fill((random) => 1e7 + random.uniform())],
  ["an offset of -10^7", fill((random) => -1e7 + 100 * random.uniform())],
  ["i j", fill((_, i, j) => i * j)],
  ["-i j", fill((_, i, j) => -i * j)],
  ["i + j", fill((_, i, j) => i + j)],
  ["|i - j|", fill((_, i, j) => Math.abs(i - j))],
  ["-|i - j|", fill((_, i, j) => -Math.abs(i - j))],
  ["(i - j)^2", fill((_, i, j) => (i - j) ** 2)],
  [
    "rank one",
    factored(
      (random) => random.normal(),
      (a, b) => a * b,
    ),
  ],
  [
    "rank one, positive",
    factored(
      (random) => Math.abs(random.normal()),
      (a, b) => a * b,
    ),
  ],
  [
    "sums of rows and columns",
    factored(
      (random) => random.normal(),
      (a, b) => a + b,
    ),
  ],
  [
    "norms of e^(5 N)",
    factored(
      (random) => Math.exp(5 * random.normal()),
      (a, b, x) => a * b * x,
    ),
  ],
  [
    "norms of e^N",
    factored(
      (random) => Math.exp(random.normal()),
      (a, b, x) => a * b * x,
    ),
  ],
  [
    "mostly forbidden edges",
    fill((random, i, j) => (i === j || random.uniform() < 0.1 ? random.normal() : Number.POSITIVE_INFINITY)),
  ],
  [
    "a permutation and its neighbours allowed",
    fill((random, i, j, n) => ((j - i + n) % n < 3 ? random.normal() : Number.POSITIVE_INFINITY)),
  ],
  [
    "a triangle of allowed edges",
    fill((random, i, j) => (j <= i ? random.normal() : Number.POSITIVE_INFINITY)),
  ],
  [
    "half the columns forbidden to half the rows",
    fill((random, i, j, n) => (i < n / 2 && j >= n / 2 ? Number.POSITIVE_INFINITY : random.normal())),
  ],
  ["blocks on the diagonal", fill((random, i, j) => (i >> 4 === j >> 4 ? -random.uniform() : 0))],
  ["planted ones", fill((random, i, j, n) => (j === (i * 7 + 3) % n ? -1 : 0) + 1e-6 * random.uniform())],
];

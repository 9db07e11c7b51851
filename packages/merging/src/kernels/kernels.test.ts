import { borrowScratch } from "@isthmus/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { randomBitsInto } from "../random/random-bits.ts";
import { allocateNumbers, allocatePatterns, withBlockMemory } from "./block-memory.ts";
import { addContributions, countLarger, countShared, stepTowards } from "./contributions.ts";
import { takeLargestChange } from "./elementwise.ts";
import { keepImportant, sizesTimes } from "./importance.ts";
import { keepMagnitudes, listMagnitudes, type MagnitudeWindow, measuredPatterns } from "./magnitudes.ts";
import { ALL_MAGNITUDES, type Election, mixVectors } from "./mixtures.ts";
import { simdFor } from "./simd.ts";
import { exponential, logarithm, softmaxDivergence } from "./softmax.ts";
import { type Numbers, patternsOf } from "./task-vectors.ts";
import { variancesInto } from "./variances.ts";
import { addChanges, addScaledTo, keepBelow, productOf, subtractInto, sumOfSizes } from "./vectors.ts";

/** Arrays of f32 that a kernel reads and writes, and numbers for it. */
interface Given {
  readonly arrays: readonly [Float32Array, Float32Array, Float32Array, Float32Array];
  readonly bits: Uint32Array;
  readonly factor: number;
  readonly least: number;
}

const LENGTH = 37;

/** Sixteenths, many of them equal or 0 of either sign, and numbers of any size. */
const number = fc.oneof(
  fc.integer({ min: -16, max: 16 }).map((x) => x / 16),
  fc.constantFrom(0, -0, 2 ** -140, -(2 ** -130)),
  fc.float({ noNaN: true, noDefaultInfinity: true, min: -(2 ** 60), max: 2 ** 60 }),
);
const given = fc
  .record({
    numbers: fc.array(number, { minLength: 4 * LENGTH, maxLength: 4 * LENGTH }),
    bits: fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { minLength: LENGTH, maxLength: LENGTH }),
    length: fc.integer({ min: 0, max: LENGTH }),
    factor: fc.oneof(fc.constantFrom(0, 1, -1, 0.5), fc.double({ min: -4, max: 4, noNaN: true })),
    least: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ numbers, bits, length, factor, least }): Given => {
    const array = (k: number) => new Float32Array(numbers.slice(k * LENGTH, k * LENGTH + length));
    return {
      arrays: [array(0), array(1), array(2), array(3)],
      bits: new Uint32Array(bits.slice(0, length)),
      factor,
      least,
    };
  });

/** What each kernel returns; it may write into all arrays. */
const KERNELS: Readonly<Record<string, (given: Given) => unknown>> = {
  subtractInto: ({ arrays: [a, b, c] }) => subtractInto(a, b, c),
  "mixVectors adds all": (given) => mixAll(given, undefined),
  "mixVectors elects by sums": (given) => mixAll(given, { counts: false, divides: "never", least: 0 }),
  "mixVectors elects by counts": (given) =>
    mixAll(given, { counts: true, divides: "above", least: given.least }),
  "mixVectors averages": (given) => mixAll(given, { counts: false, divides: "at least", least: given.least }),
  addChanges: ({ arrays: [a, b, c], factor }) => {
    addChanges(a, b, c, factor);
    b.fill(0);
  },
  addScaledTo: ({ arrays: [a, b], factor }) => {
    addScaledTo(a, b, factor);
    b.fill(0);
  },
  keepBelow: ({ arrays: [a], bits, least }) => keepBelow(a, bits, least),
  productOf: ({ arrays: [a, b] }) => productOf(a, b),
  sumOfSizes: ({ arrays: [a] }) => sumOfSizes(a),
  randomBits: ({ bits, factor }) =>
    randomBitsInto({ low: Math.trunc(factor * 2 ** 28), high: 12345 }, 2 ** 32 - 20, bits),
  keepMagnitudes: ({ arrays: [a], least }) =>
    keepMagnitudes(patternsOf(a), patternsOf(a), patternOf(least), patternOf(0.75)),
  listMagnitudes: (given) => listAll(given, { least: patternOf(given.least), span: 3 << 15 }),
  "listMagnitudes above 0.5": (given) =>
    listAll(given, { least: patternOf(0.5), span: 2 ** 31 - patternOf(0.5) }),
  stepTowards: ({ arrays: [a, b, c], least }) => stepTowards(a, b, least, c),
  countLarger: ({ arrays: [a, b], least }) => countLarger(a, b, Math.fround(least)),
  addContributions: ({ arrays: [a, b, c], least, factor }) => {
    for (const i of c.keys()) c[i] = 1 + (i % 3);
    addContributions(a, b, c, { least: Math.fround(least), unique: factor });
  },
  countShared: ({ arrays: [a, b], least }) => {
    for (const i of b.keys()) b[i] = 1 + (i % 3);
    return countShared(a, b, Math.fround(least));
  },
  variancesInto: ({ arrays: [a, b, c, d] }) => variancesInto([a, b, c], d),
  sizesTimes: ({ arrays: [a, b], factor }) => sizesTimes(a, factor, b),
  keepImportant: ({ arrays: [a, b], least }) => keepImportant(a, b, Math.fround(least)),
  softmaxDivergence: ({ arrays: [a, b] }) => softmaxDivergence(a, b),
  takeLargestChange: ({ arrays: [a, b, c, d], factor }) => takeLargestChange(a, [b, c, d], factor),
};

/** Mixes a network in f32, one in bf16, and differences, into the last array; SIMD loops take whole groups. */
function mixAll({ arrays: [a, b, c, d], bits, factor, least }: Given, election: Election | undefined): void {
  const count = a.length - (a.length % 8);
  const [base, network, delta, out] = [a, b, c, d].map((array) => array.subarray(0, count)) as [
    ...[Float32Array, Float32Array, Float32Array, Float32Array],
  ];
  const halves = new Uint16Array(bits.buffer, bits.byteOffset, count);
  // Numbers of moderate size, as of the other arrays.
  for (const [i, x] of network.entries()) halves[i] = patternOf(x) >>> 16;
  const widened = Float32Array.from(halves, (half) => new Float32Array(Int32Array.of(half << 16).buffer)[0]!);
  const minus = (numbers: Float32Array) => () => numbers.map((x, i) => x - base[i]!);
  const kept = { least: patternOf(least / 4), span: 3 << 23 };
  const whole = ALL_MAGNITUDES;
  const vectors = [
    { stored: () => network, delta: minus(network), kept, factor, weight: least },
    { stored: () => halves, delta: minus(widened), kept: whole, factor: 1, weight: -0.5, scale: factor },
    { stored: undefined, delta: () => delta, kept, factor: 2, weight: 1, share: least },
  ];
  mixVectors(vectors, { stored: () => base, numbers: () => base }, { election, factor }, out);
  // Differences may be overwritten, or not.
  delta.fill(0);
}

/** Lists magnitudes of differences of a network in f32, and of numbers. */
function listAll({ arrays: [a, b, c, d] }: Given, window: MagnitudeWindow): unknown {
  const length = a.length - (a.length % 8);
  const [network, base] = [a.subarray(0, length), b.subarray(0, length)];
  const [indices, excesses] = [patternsOf(c.subarray(0, length)), patternsOf(d.subarray(0, length))];
  const stored = () => ({ network, base });
  const patterns = () => patternsOf(network.map((x, i) => x - base[i]!));
  return [{ length, stored, patterns }, measuredPatterns(patternsOf(network))].map((measured) => {
    const counts = listMagnitudes(measured, window, { indices, excesses });
    for (const array of [indices, excesses]) array.fill(0, counts[0]);
    return [...counts, [...indices], [...excesses]];
  });
}

function patternOf(x: number): number {
  return new Int32Array(Float32Array.of(x).buffer)[0]!;
}

function copied<T extends Numbers | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

const bytesOf = ({ arrays, bits }: Given) => [...arrays.map((array) => [...patternsOf(array)]), [...bits]];

test.each(Object.entries(KERNELS))("%s gives the same bits by SIMD and without", (_name, kernel) => {
  fc.assert(
    fc.property(given, ({ arrays, bits, ...numbers }) => {
      const plain = {
        ...numbers,
        arrays: arrays.map((array) => array.slice()) as unknown as Given["arrays"],
        bits: bits.slice(),
      };
      const expected = kernel(plain);
      withBlockMemory(() => {
        const fast = {
          ...numbers,
          arrays: arrays.map((array) =>
            copied(array, allocateNumbers(false, array.length) as Float32Array),
          ) as unknown as Given["arrays"],
          bits: copied(bits, allocatePatterns(bits.length)),
        };
        expect(simdFor(...fast.arrays, fast.bits)).toBeDefined();
        expect(kernel(fast)).toEqual(expected);
        expect(bytesOf(fast)).toEqual(bytesOf(plain));
      });
    }),
    { numRuns: 200 },
  );
});

test("block memory is zero, is free again after use, and gives way to ordinary memory", () => {
  const lent = withBlockMemory(() => {
    const first = allocateNumbers(false, 100).fill(7);
    const inner = withBlockMemory(() => allocateNumbers(false, 100).fill(7));
    const again = allocateNumbers(false, 100);
    expect(again.byteOffset).toBe(inner.byteOffset);
    expect([...again]).toEqual(Array(100).fill(0));
    expect([...first]).toEqual(Array(100).fill(7));
    const large = Array.from({ length: 3 }, () => allocateNumbers(true, 100_000).fill(1));
    expect(new Set(large.map(({ byteOffset }) => byteOffset)).size).toBe(3);
    expect(simdFor(allocateNumbers(false, 2 ** 18 + 1))).toBeUndefined();
    return first;
  });
  expect(withBlockMemory(() => allocateNumbers(false, 100)).byteOffset).toBe(lent.byteOffset);
  expect(simdFor(allocateNumbers(false, 100))).toBeUndefined();
  // Every piece went back: all of them can be borrowed.
  const all = Array.from({ length: 32 }, () => borrowScratch(8));
  expect(all.every(({ bytes }) => simdFor(bytes) !== undefined)).toBe(true);
  for (const scratch of all) scratch.release();
});

test("block memory is free again after an error", () => {
  const fail = () =>
    withBlockMemory(() => {
      allocateNumbers(false, 100);
      throw new Error("stopped");
    });
  expect(fail).toThrow("stopped");
  expect(simdFor(allocateNumbers(false, 100))).toBeUndefined();
});

test("exponential() and logarithm() are right up to a few units in the last place", () => {
  fc.assert(
    fc.property(fc.double({ min: -690, max: 0, noNaN: true }), (x) => {
      expect(Math.abs(exponential(x) / Math.exp(x) - 1)).toBeLessThan(2 ** -49);
    }),
  );
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), (x) => {
      expect(Math.abs(logarithm(x) - Math.log(x))).toBeLessThanOrEqual(2 ** -50 * Math.abs(Math.log(x)));
    }),
  );
  expect([exponential(0), logarithm(1), exponential(Number.NaN)]).toEqual([1, 0, Number.NaN]);
});

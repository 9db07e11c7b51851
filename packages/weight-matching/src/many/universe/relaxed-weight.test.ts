import { at, createRandom, type Random } from "@isthmus/core";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { type NetworkCase, networkCase } from "../../../../../test/helpers/network-cases.ts";
import { smallMlp } from "../../../../../test/helpers/small-networks.ts";
import { createPlacementExpander, identityPlacement } from "../../coordinate-descent/placement.ts";
import { PartedWeight } from "./parted-weight.ts";
import { bestStepOf, stepPolynomial, valueAt } from "./relax-universe.ts";
import { RelaxedWeight } from "./relaxed-weight.ts";

let network: NetworkCase;

beforeAll(async () => {
  network = await networkCase(smallMlp());
});

/** Shuffles all units of a network at random. */
function randomSource({ spec }: NetworkCase, random: Random): Int32Array {
  const placement = identityPlacement(spec).map((choices) => random.shuffleInPlace(choices));
  return createPlacementExpander(spec).expand(placement);
}

const open = (random: Random) => {
  const layout = network.spec.weights.get("l1.weight");
  if (layout === undefined) throw new Error("the network has no second layer");
  const weight = new PartedWeight("l1.weight", layout);
  const values = Float32Array.from({ length: 12 * 16 }, () => random.normal());
  return { weight, relaxed: new RelaxedWeight(weight, values), values };
};

const ROWS = 16;
const COLUMNS = 12;

/** Multiplies a weight `[rows, columns]` by a matrix on each side: `P W Q'`. */
function multiply(p: readonly number[][], w: Float32Array, q: readonly number[][]): number[] {
  const product: number[] = [];
  for (let i = 0; i < ROWS; i++) {
    for (let j = 0; j < COLUMNS; j++) {
      let sum = 0;
      for (let k = 0; k < ROWS; k++) {
        for (let l = 0; l < COLUMNS; l++) {
          sum += (p[i]?.[k] ?? Number.NaN) * at(w, k * COLUMNS + l, "weight") * (q[j]?.[l] ?? Number.NaN);
        }
      }
      product.push(sum);
    }
  }
  return product;
}

const matrixOf = (map: Int32Array): number[][] =>
  Array.from(map, (from) => Array.from(map, (_, column) => (column === from ? 1 : 0)));

const mix = (a: readonly number[][], b: readonly number[][], t: number): number[][] =>
  a.map((row, i) => row.map((value, j) => (1 - t) * value + t * (b[i]?.[j] ?? Number.NaN)));

describe("RelaxedWeight", () => {
  test("is the product with the relaxed permutations after any steps", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1000 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 4 }),
        (seed, steps) => {
          const random = createRandom(seed, "relaxed weight");
          const { weight, relaxed, values } = open(random);
          let [p, q] = [
            matrixOf(Int32Array.from(Array(ROWS).keys())),
            matrixOf(Int32Array.from(Array(COLUMNS).keys())),
          ];
          for (const t of steps) {
            const maps = weight.mapsOf(randomSource(network, random));
            const sized = (size: number) =>
              matrixOf(maps.find((map) => map.length === size) ?? new Int32Array());
            relaxed.face(maps);
            relaxed.step(t);
            [p, q] = [mix(p, sized(ROWS), t), mix(q, sized(COLUMNS), t)];
          }
          const expected = multiply(p, values, q);
          relaxed.image.forEach((value, i) => {
            expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 4);
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  test("placed, it is the permuted weight, whatever it was before", () => {
    const random = createRandom(1, "relaxed weight");
    const { weight, relaxed, values } = open(random);
    relaxed.face(weight.mapsOf(randomSource(network, random)));
    relaxed.step(0.3);
    const maps = weight.mapsOf(randomSource(network, random));
    relaxed.place(maps);
    const fresh = new RelaxedWeight(weight, values);
    fresh.face(maps);
    fresh.step(1);
    expect(relaxed.image).toEqual(fresh.image);
    expect([relaxed.besides(0), relaxed.besides(1)]).toEqual([fresh.besides(0), fresh.besides(1)]);
  });

  test("its squared norm along a step is the polynomial of its inner products", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (seed, t) => {
          const random = createRandom(seed, "relaxed weight");
          const { weight, relaxed } = open(random);
          relaxed.face(weight.mapsOf(randomSource(network, random)));
          relaxed.step(0.5);
          relaxed.face(weight.mapsOf(randomSource(network, random)));
          const zeros = () => new Float64Array(ROWS * COLUMNS);
          const polynomial = stepPolynomial(relaxed.measure({ cross: zeros(), vertex: zeros() }));
          relaxed.step(t);
          const norm = relaxed.image.reduce((sum, value) => sum + value ** 2, 0);
          expect(valueAt(polynomial, t) / norm).toBeCloseTo(1, 5);
        },
      ),
      { numRuns: 50 },
    );
  });
});

test("bestStepOf() finds the greatest value in [0, 1]", () => {
  const coefficient = fc.double({ min: -10, max: 10, noNaN: true });
  fc.assert(
    fc.property(fc.array(coefficient, { minLength: 5, maxLength: 5 }), (polynomial) => {
      const best = valueAt(polynomial, bestStepOf(polynomial));
      for (let i = 0; i <= 1000; i++) {
        expect(best).toBeGreaterThanOrEqual(valueAt(polynomial, i / 1000) - 1e-3);
      }
    }),
  );
});

import { at, createRandom, type Random } from "@isthmus/core";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { type NetworkCase, networkCase } from "../../../../../test/helpers/network-cases.ts";
import { smallMlp } from "../../../../../test/helpers/small-networks.ts";
import { createPlacementExpander, identityPlacement } from "../../coordinate-descent/placement.ts";
import { PartedWeight } from "./parted-weight.ts";
import { stepPolynomial, valueAt } from "./relax-universe.ts";
import { RelaxedWeight } from "./relaxed-weight.ts";
import { SummedWeight } from "./summed-weight.ts";

const NETWORKS = 3;
/** A weight whose rows alone move, and one whose rows and columns do. */
const NAMES = ["l0.weight", "l1.weight"];

let network: NetworkCase;

beforeAll(async () => {
  network = await networkCase(smallMlp());
});

const randomMaps = (weight: PartedWeight, random: Random) => {
  const placement = identityPlacement(network.spec).map((choices) => random.shuffleInPlace(choices));
  return weight.mapsOf(createPlacementExpander(network.spec).expand(placement));
};

function open(name: string, random: Random) {
  const layout = network.spec.weights.get(name);
  if (layout === undefined) throw new Error(`the network has no weight ${name}`);
  const weight = new PartedWeight(name, layout);
  const { rows, rest, columns } = weight.extents;
  const length = rows * rest * columns;
  const members = Array.from(
    { length: NETWORKS },
    () =>
      new RelaxedWeight(
        weight,
        Float32Array.from({ length }, () => random.normal()),
      ),
  );
  return { weight, members, summed: new SummedWeight(weight, members), length };
}

/** Sums the members but one from their images. */
const othersOf = (members: readonly RelaxedWeight[], member: RelaxedWeight, length: number) =>
  Array.from({ length }, (_, i) =>
    members.reduce((sum, one) => (one === member ? sum : sum + at(one.image, i, "image")), 0),
  );

function expectOthers({ members, summed, length }: ReturnType<typeof open>): void {
  for (const member of members) {
    const others = new Float32Array(length);
    summed.othersInto(member, others);
    othersOf(members, member, length).forEach((expected, i) => {
      expect(others[i]).toBeCloseTo(expected, 4);
    });
  }
}

const cases = fc.record({ seed: fc.nat(1000), name: fc.constantFrom(...NAMES) });

describe("SummedWeight", () => {
  test("stays the sum of its members when they are placed, and tells what moved", () => {
    fc.assert(
      fc.property(cases, ({ seed, name }) => {
        const random = createRandom(seed, "summed weight");
        const opened = open(name, random);
        for (let k = 0; k < 4; k++) {
          const member = at(opened.members, random.integer(NETWORKS), "member");
          const maps = randomMaps(opened.weight, random);
          opened.summed.place(member, maps);
          expectOthers(opened);
          expect(member.movesTo(maps).map(({ length }) => length)).toEqual(maps.map(() => 0));
          // Where two positions of one component change places, those two move, and nothing else.
          const swapped = maps.map((map) => map.slice());
          const [first = new Int32Array()] = swapped;
          [first[0], first[1]] = [at(first, 1, "map"), at(first, 0, "map")];
          const moved = opened.summed.place(member, swapped);
          expect(moved.map((positions) => [...positions])).toEqual(
            maps.map((_, component) => (component === 0 ? [0, 1] : [])),
          );
          expectOthers(opened);
        }
      }),
      { numRuns: 20 },
    );
  });

  test("follows a step that was measured, and its inner products tell the objective along it", () => {
    fc.assert(
      fc.property(cases, fc.double({ min: 0, max: 1, noNaN: true }), ({ seed, name }, t) => {
        const random = createRandom(seed, "summed weight");
        const opened = open(name, random);
        const { members, summed, weight, length } = opened;
        for (const share of [0.6, t]) {
          for (const member of members) member.face(randomMaps(weight, random));
          const { sum, networks } = summed.measure();
          for (const member of members) member.step(share);
          summed.step(share);
          expectOthers(opened);
          const squaredNorm = (values: Iterable<number>) => {
            let total = 0;
            for (const value of values) total += value ** 2;
            return total;
          };
          const total = squaredNorm(
            Array.from({ length }, (_, i) => members.reduce((x, one) => x + at(one.image, i, "image"), 0)),
          );
          expect(valueAt(stepPolynomial(sum), share) / total).toBeCloseTo(1, 5);
          members.forEach(({ image }, i) => {
            const ratio = valueAt(stepPolynomial(at(networks, i, "network")), share) / squaredNorm(image);
            expect(ratio).toBeCloseTo(1, 5);
          });
        }
      }),
      { numRuns: 20 },
    );
  });
});

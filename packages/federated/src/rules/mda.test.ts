import { at, createRandom } from "@isthmus/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { pointsOf } from "../../test/in-memory.ts";
import { mda } from "./mda.ts";

/** Lists all sets of some positions, in the order of their members. */
function subsets(count: number, size: number, first = 0): number[][] {
  if (size === 0) return [[]];
  return Array.from({ length: Math.max(0, count - size - first + 1) }, (_, i) => first + i).flatMap(
    (member) => subsets(count, size - 1, member + 1).map((rest) => [member, ...rest]),
  );
}

const chosenOf = (weights: readonly number[]) => weights.flatMap((weight, i) => (weight > 0 ? [i] : []));

test("mda chooses the first of all sets of the smallest diameter, even where many points are equal", () => {
  const points = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 })), {
    minLength: 3,
    maxLength: 9,
  });
  fc.assert(
    fc.property(points, fc.nat(), (list, any) => {
      const f = any % (((list.length - 1) >> 1) + 1);
      const diameter = (set: readonly number[]) =>
        Math.max(
          ...set.flatMap((i) =>
            set.map((j) => {
              const [[a, b], [c, d]] = [at(list, i), at(list, j)];
              return (a - c) ** 2 + (b - d) ** 2;
            }),
          ),
        );
      const all = subsets(list.length, list.length - f);
      const smallest = Math.min(...all.map(diameter));
      const { weights } = mda.weigh(pointsOf(list.map((point) => Float64Array.from(point))), { f });
      expect(chosenOf(weights)).toEqual(all.find((set) => diameter(set) === smallest));
    }),
  );
});

test("mda finds 40 honest clients among 50", () => {
  const random = createRandom(3);
  const points = Array.from({ length: 50 }, (_, k) =>
    Float64Array.from({ length: 8 }, () => random.normal() + (k % 5 === 0 ? 9 : 0)),
  );
  const { weights } = mda.weigh(pointsOf(points), { f: 10 });
  expect(chosenOf(weights)).toEqual(points.flatMap((_, k) => (k % 5 === 0 ? [] : [k])));
});

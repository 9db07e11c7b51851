import { readFileSync } from "node:fs";
import { OutOfRangeError, sizeOf } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { waves } from "../../../../../test/helpers/waves.ts";
import { GRID_NEIGHBORS, placeOf } from "./grid-neighbors.ts";
import { gridTopology, topologyOf } from "./grid-topology.ts";
import { mergeTree } from "./merge-tree.ts";
import type { MergeTree } from "./merge-tree-result.ts";

/** What gudhi, and Landscaper over topopy, compute; see tools/golden/topology.py. */
const golden: readonly {
  readonly shape: readonly number[];
  readonly seed: number;
  readonly pairs: readonly (readonly [number, number])[];
  readonly saddleMinimumDistance: {
    readonly mean: number;
    readonly normalized: number;
    readonly weighted: number;
  } | null;
}[] = JSON.parse(readFileSync(new URL("../../../test/golden/topology.json", import.meta.url), "utf8"));

const pairsOf = ({ minima, saddles }: MergeTree) =>
  minima
    .flatMap(({ value, merge }) => (merge === undefined ? [] : [[value, saddles[merge]!.value] as const]))
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);

/** Parts of the grid at most as high as a level, each as the places it has, by flooding from every place. */
function partsBelow(values: readonly number[], shape: readonly number[], level: number, corners: boolean) {
  const coordinates = values.map((_, place) => placeOf(place, shape));
  const beside = (a: number, b: number) => {
    const ways = coordinates[a]!.map((x, axis) => Math.abs(x - coordinates[b]![axis]!));
    const total = ways.reduce((sum, way) => sum + way, 0);
    return corners ? Math.max(...ways) === 1 : total === 1;
  };
  const open = new Set(values.flatMap((value, place) => (value <= level ? [place] : [])));
  const parts: number[][] = [];
  for (const start of open) {
    const part = [start];
    open.delete(start);
    for (const place of part) {
      for (const other of [...open]) {
        if (!beside(place, other)) continue;
        open.delete(other);
        part.push(other);
      }
    }
    parts.push(part);
  }
  return parts;
}

const grid = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    // Few values, so that there are flat parts.
    values: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: sizeOf(shape), maxLength: sizeOf(shape) }),
    neighbors: fc.constantFrom(...GRID_NEIGHBORS),
  }),
);

describe("mergeTree()", () => {
  it.each(golden)("has the pairs of gudhi and the distance of Landscaper on $shape", (expected) => {
    const { data } = waves(expected.shape, expected.seed, 1.5);
    const tree = gridTopology(data as Float32Array, expected.shape);
    expect(pairsOf(tree)).toEqual(expected.pairs);
    if (expected.saddleMinimumDistance === null) return;
    const { mean, normalized, weighted } = tree.saddleMinimumDistance;
    expect(mean).toBeCloseTo(expected.saddleMinimumDistance.mean, 6);
    expect(normalized).toBeCloseTo(expected.saddleMinimumDistance.normalized, 6);
    expect(weighted).toBeCloseTo(expected.saddleMinimumDistance.weighted, 6);
  });

  it("has two wells and the pass between them, at the closed form's places and heights", () => {
    // (x^2 - 1)^2 + y^2 + x / 4 on a grid that has the passes and wells within its step.
    const side = 81;
    const place = (i: number) => -2 + (4 * i) / (side - 1);
    const values = Array.from({ length: side * side }, (_, k) => {
      const [x, y] = [place(Math.floor(k / side)), place(k % side)];
      return (x * x - 1) ** 2 + y * y + x / 4;
    });
    const { minima, saddles } = mergeTree(values, [side, side]);
    expect(minima).toHaveLength(2);
    expect(saddles).toHaveLength(1);
    const at = (index: number) => placeOf(index, [side, side]).map(place);
    // Roots of 4 x (x^2 - 1) + 1 / 4.
    const [deep, pass, shallow] = [-1.0297, 0.06277, 0.96693];
    for (const [index, x] of [
      [minima[0]!.index, deep],
      [minima[1]!.index, shallow],
      [saddles[0]!.index, pass],
    ] as const) {
      expect(Math.abs(at(index)[0]! - x)).toBeLessThan(0.05);
      expect(at(index)[1]).toBeCloseTo(0, 12);
    }
    expect(minima[0]!.value).toBeCloseTo(-0.2538, 2);
    expect(minima[1]!.persistence).toBeCloseTo(0.7622, 2);
    // Basins meet at the pass: a little more than half of the grid falls to the left.
    expect(minima[0]!.basin + minima[1]!.basin).toBe(side * side);
    expect(minima[0]!.basin / side ** 2).toBeCloseTo((pass + 2) / 4, 1);
  });

  it("counts the parts below every level as flooding does, in any dimension", () => {
    fc.assert(
      fc.property(grid, ({ shape, values, neighbors }) => {
        const tree = mergeTree(values, shape, { neighbors });
        for (const level of new Set(values)) {
          const parts = partsBelow(values, shape, level, neighbors === "corners");
          const alive = tree.minima.filter(
            ({ value, merge }) =>
              value <= level && (merge === undefined || tree.saddles[merge]!.value > level),
          );
          expect(alive).toHaveLength(parts.length);
          const deepest = parts.map((part) => Math.min(...part.map((place) => values[place]!)));
          expect(alive.map(({ value }) => value).sort()).toEqual(deepest.sort());
        }
      }),
    );
  });

  it("is a tree whose saddles join two branches or more, above what they join", () => {
    fc.assert(
      fc.property(grid, ({ shape, values, neighbors }) => {
        const { minima, saddles, range, missing } = mergeTree(values, shape, { neighbors });
        const children = saddles.map(() => 0);
        for (const { saddle, value, merge } of minima) {
          if (saddle !== undefined) children[saddle] = children[saddle]! + 1;
          if (merge !== undefined) expect(saddles[merge]!.value).toBeGreaterThan(value);
        }
        for (const { parent, value } of saddles) {
          if (parent === undefined) continue;
          children[parent] = children[parent]! + 1;
          expect(saddles[parent]!.value).toBeGreaterThanOrEqual(value);
        }
        for (const count of children) expect(count).toBeGreaterThan(1);
        expect(saddles.filter(({ parent }) => parent === undefined)).toHaveLength(saddles.length > 0 ? 1 : 0);
        expect(minima.reduce((sum, { basin }) => sum + basin, 0)).toBe(values.length);
        expect(minima.filter(({ merge }) => merge === undefined)).toHaveLength(1);
        expect([range, missing]).toEqual([Math.max(...values) - Math.min(...values), 0]);
      }),
    );
  });

  it("leaves out what rises too little, and counts its basin to what it meets", () => {
    fc.assert(
      fc.property(grid, fc.integer({ min: 0, max: 6 }), ({ shape, values, neighbors }, least) => {
        const all = mergeTree(values, shape, { neighbors });
        const some = mergeTree(values, shape, { neighbors, leastPersistence: least });
        const lasting = all.minima.filter(
          ({ persistence, merge }) => merge === undefined || persistence > least,
        );
        expect(some.minima.map(({ index }) => index)).toEqual(lasting.map(({ index }) => index));
        expect(some.minima.reduce((sum, { basin }) => sum + basin, 0)).toBe(values.length);
        expect(pairsOf(some)).toEqual(pairsOf(all).filter(([low, high]) => high - low > least));
      }),
    );
  });

  it("goes around places without a finite value", () => {
    const wall = [0, Number.NaN, 1, 3, Number.POSITIVE_INFINITY, 4, 5, 2, 6];
    const { minima, saddles, missing } = mergeTree(wall, [3, 3]);
    expect(missing).toBe(2);
    expect(minima.map(({ value, persistence }) => [value, persistence])).toEqual([
      [0, 6],
      [1, 5],
      [2, 3],
    ]);
    expect(saddles.map(({ value }) => value)).toEqual([5, 6]);
    const apart = mergeTree([0, Number.NaN, 1], [3]);
    expect(apart.saddles).toEqual([]);
    expect(apart.minima.map(({ merge }) => merge)).toEqual([undefined, undefined]);
    expect(mergeTree([Number.NaN], [1])).toMatchObject({ minima: [], range: 0, missing: 1 });
  });

  it("tells minima on the edge of the grid from the ones inside, along every axis of several places", () => {
    expect(mergeTree([0, 2, 1, 3, 2], [5]).minima.map(({ onEdge }) => onEdge)).toEqual([
      true,
      undefined,
      true,
    ]);
    expect(mergeTree([1, 2], [1, 2]).minima).toMatchObject([{ index: 0, onEdge: true }]);
    expect(mergeTree([2, 1, 3], [1, 3]).minima[0]).not.toHaveProperty("onEdge");
    fc.assert(
      fc.property(grid, ({ shape, values, neighbors }) => {
        // A wall around the grid moves every edge away: all minima are inside then.
        const wide = shape.map((extent) => extent + 2);
        const walled = Array.from({ length: sizeOf(wide) }, (_, place) => {
          const inner = placeOf(place, wide).map((coordinate) => coordinate - 1);
          const inside = inner.every((x, axis) => x >= 0 && x < shape[axis]!);
          return inside ? values[inner.reduce((index, x, axis) => index * shape[axis]! + x, 0)]! : 9;
        });
        const { minima } = mergeTree(walled, wide, { neighbors });
        expect(minima.some(({ onEdge }) => onEdge)).toBe(false);
        expect(minima).toHaveLength(mergeTree(values, shape, { neighbors }).minima.length);
      }),
    );
  });

  it("refuses what is no grid", () => {
    expect(() => mergeTree([1, 2, 3], [2, 2])).toThrow(/got 3 values for the shape \[2, 2\]/);
    expect(() => mergeTree([], [0])).toThrow(OutOfRangeError);
    expect(() => mergeTree([1], [])).toThrow(OutOfRangeError);
    expect(() => mergeTree([1], [1], { leastPersistence: -1 })).toThrow(/at least 0: it is -1/);
    expect(() => mergeTree([1], [1], { neighbors: "edges" as never })).toThrow(/one of faces, corners/);
  });
});

describe("topologyOf()", () => {
  it("reads lines, planes and grids", () => {
    const losses = [3, 0, 2, 1, 5, 4];
    const line = topologyOf({ points: losses.map((loss) => ({ loss })) });
    expect(line).toEqual(gridTopology(losses, [6]));
    const plane = topologyOf({ loss: [losses.slice(0, 3), losses.slice(3)] });
    expect(plane).toEqual(gridTopology(losses, [2, 3]));
    expect(
      topologyOf({
        axes: [
          [0, 1],
          [0, 1, 2],
        ],
        loss: losses,
      }),
    ).toEqual(plane);
  });

  it("leaves out minima that persist less than a thousandth of the range, unless it is asked for them", () => {
    const points = [1, 0, 1, 0.9995, 2].map((loss) => ({ loss }));
    expect(topologyOf({ points }).minima.map(({ index }) => index)).toEqual([1]);
    expect(topologyOf({ points }, { leastPersistence: 0 }).minima.map(({ index }) => index)).toEqual([1, 3]);
  });

  it("averages rises to the first saddles: also that of the deepest", () => {
    // Branches from 0 and 1 meet at 2, with that from 1.5 at 4.
    const { saddleMinimumDistance } = gridTopology([0, 2, 1, 4, 1.5], [5]);
    expect(saddleMinimumDistance.mean).toBe((2 + 1 + 2.5) / 3);
    expect(saddleMinimumDistance.normalized).toBe((2 + 1 + 2.5) / 3 / 4);
    expect(saddleMinimumDistance.weighted).toBeCloseTo((2 * 2 + 1 * 2 + 2.5 * 1) / 5 / 3, 12);
    expect(gridTopology([2, 1, 3], [3]).saddleMinimumDistance).toEqual({
      mean: 0,
      normalized: 0,
      weighted: 0,
    });
  });
});

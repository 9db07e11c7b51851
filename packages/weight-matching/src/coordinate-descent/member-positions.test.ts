import { createCheckpoint, createRandom, type Tensor } from "@isthmus/core";
import { type Alignment, decodeSpec, identityAlignment, invert, permute } from "@isthmus/symmetry";
import { expect, test } from "vitest";
import { matchWeights } from "../match-weights.ts";
import { findOccurrences } from "./occurrences.ts";
import { createPlacementExpander } from "./placement.ts";
import { createUnitTree } from "./unit-tree.ts";

const SIZE = 3;

/**
 * Units `p` and `q`, and a cell of three units for each pair of them: a cell has two parents, in two blocks.
 */
const spec = decodeSpec({
  format: "isthmus-symmetries",
  version: 1,
  symmetries: [
    { name: "p", size: 3 },
    { name: "q", size: 2 },
    {
      name: "r",
      size: SIZE,
      parents: [[0, 1, 2].map((unit) => [unit, 2, 0]), [0, 1, 2].map(() => [3, 2])],
    },
  ],
  weights: {
    p: { shape: [3, 4], fields: [{ axes: [0], units: "p" }] },
    q: { shape: [2, 4], fields: [{ axes: [0], units: "q" }] },
    r: { shape: [18, 4], fields: [{ axes: [0], units: "r" }] },
  },
});

test("positionsOfMember() finds the units of every cell whose parents are in several blocks", () => {
  const tree = createUnitTree(spec);
  const expander = createPlacementExpander(spec);
  for (const block of tree.blocks) {
    for (const list of findOccurrences(tree, block, expander).values()) {
      for (const { positions } of list) {
        expect(positions).toEqual(Int32Array.from(positions.keys()));
      }
    }
  }
});

test("matchWeights() recovers permutations in all cells whose parents are in several blocks", async () => {
  const random = createRandom(5, "cells of two parents");
  const tensors = [...spec.weights].map(([name, { shape }]): [string, Tensor] => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal());
    return [name, { dtype: "f32", shape, data }];
  });
  const a = createCheckpoint(new Map(tensors));
  const source = identityAlignment(spec).source.slice();
  const firstUnit = source.length - 6 * SIZE;
  for (let unit = firstUnit; unit < source.length; unit += SIZE) {
    random.shuffleInPlace(source.subarray(unit, unit + SIZE));
  }
  const planted: Alignment = { source };
  const result = await matchWeights({ spec, graph: undefined }, [a, permute(planted, a, spec)], { seed: 1 });
  expect(result.alignment).toEqual(invert(planted));
});

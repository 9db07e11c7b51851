import { entry, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { add, GraphBuilder } from "@isthmus/graph/builder";
import { describe, expect, test } from "vitest";
import type { ChangedWeight, MultipliedRows, RowGroup } from "./changed-weights.ts";
import { addUnitInputs } from "./unit-inputs.ts";

const mixes = (space: number, isInverse = false) => ({ space, isInverse });
const group = (size: number, ...factors: RowGroup["factors"]): RowGroup => ({ size, factors, positions: [] });
const rowsOf = (variables: number[], view: readonly number[], axes: readonly number[]): MultipliedRows => ({
  view,
  axes,
  variables: Int32Array.from(variables),
  origin: 0,
});

const PAIRS = group(2, mixes(0), mixes(1));
const TURNED = group(2, mixes(1), mixes(0, true));
const LARGE = group(3, mixes(2, true));
const MIDDLE = rowsOf([1, -2, 0], [4, 3], [1]);
const BOTH = rowsOf([2, -1, 1, 0, 0, -2], [2, 5, 3], [0, 2]);

const WEIGHTS: readonly ChangedWeight[] = [
  {
    name: "v",
    shape: [4, 3],
    permuted: [],
    mixed: [{ view: [4], axes: [0], groups: [PAIRS, LARGE] }],
    multiplied: [MIDDLE],
  },
  {
    name: "w",
    shape: [2, 5, 3],
    permuted: [],
    mixed: [{ view: [4], axes: [0], groups: [TURNED] }],
    multiplied: [BOTH],
  },
];

const UNITS = {
  mixture: {
    matrices: [[1, 2, 3, 4], [5, 6, 7, 8], new Array<number>(9).fill(-1)].map((m) => Float64Array.from(m)),
    inverses: [
      [11, 12, 13, 14],
      [15, 16, 17, 18],
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
    ].map((m) => Float64Array.from(m)),
  },
  scales: Float64Array.of(4, 0.5),
  places: [],
};

const numbersOf = ({ data }: Tensor) => Array.from(data as Float32Array);

describe("addUnitInputs()", () => {
  test("feeds each matrix once, by size, and a factor for each row", () => {
    const inputs = addUnitInputs(new GraphBuilder("inputs", 17), WEIGHTS);
    inputs.fill(UNITS);
    const fed = [...inputs.feeds].map(([name, tensor]) => [name, tensor.shape, numbersOf(tensor)]);
    expect(fed).toEqual([
      ["matrices 2", [3, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14]],
      ["matrices 3", [1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]],
      // A negative variable divides, and 0 leaves a row as it is.
      ["factors v 0", [1, 3], [4, 2, 1]],
      ["factors w 0", [2, 1, 3], [0.5, 0.25, 4, 1, 1, 2]],
    ]);
  });

  test("gives a group its matrices in their order, and rows their factors", async () => {
    const builder = new GraphBuilder("inputs", 17);
    const inputs = addUnitInputs(builder, WEIGHTS);
    const outputs = [
      ...[PAIRS, TURNED, LARGE].map((of) => inputs.matricesOf(of)),
      ...[MIDDLE, BOTH].map((rows) => inputs.factorsOf(rows)),
      // An input alone is no output of a graph.
    ].map((value) => add(value, builder.scalar(0)));
    const session = await createOnnxRuntimeEngine().load(builder.build(outputs));
    inputs.fill(UNITS);
    const results = await session.run(inputs.feeds);
    await session.release();
    expect(outputs.map(({ name }) => numbersOf(entry(results, name, "output")))).toEqual([
      [1, 2, 3, 4, 5, 6, 7, 8],
      [5, 6, 7, 8, 11, 12, 13, 14],
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
      [4, 2, 1],
      [0.5, 0.25, 4, 1, 1, 2],
    ]);
  });
});

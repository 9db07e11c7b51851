import {
  gather,
  gatherElements,
  gatherND,
  scatterElements,
  scatterND,
  type Value,
} from "@isthmus/graph/builder";
import { int } from "@isthmus/graph/ir";
import { anyShape, type Example, oneOf, testRules } from "../../../test/helpers/gradient-laws.ts";

/** Whole numbers within an extent, negative ones counted from the end, repeated as it comes. */
const rows = ({ random }: Example, count: number, extent: number): number[] =>
  Array.from({ length: count }, () => random.integer(extent) - oneOf(random, [0, extent]));

/** Data for indices, so that no rule can know them. */
const unknown = ({ b }: Example, numbers: readonly number[], shape: readonly number[]): Value =>
  // A product keeps them out of the builder's constants.
  b.emit("Mul", [b.numbers(numbers, "i64", shape), b.ints([1])], [{ dtype: "i64", shape }])[0] as Value;

/** Different rows, in any order. */
const distinct = ({ random }: Example, count: number, extent: number): number[] =>
  random.shuffleInPlace(Array.from({ length: extent }, (_, i) => i)).slice(0, count);

testRules({
  "Gather by computed indices": (example) => {
    const axis = example.random.integer(3);
    const table = example.x("x", anyShape(example.random, 3));
    return gather(table, unknown(example, rows(example, 6, table.shape[axis] as number), [3, 2]), axis);
  },
  "Gather by constant indices": (example) => {
    const table = example.x("x", [2, 4, 2]);
    const choices = [rows(example, 5, 4), distinct(example, 4, 4), [1, 2, 3], [-1]];
    return gather(table, example.b.ints(oneOf(example.random, choices)), 1);
  },
  "Gather of one row": ({ x, b }) => gather(x("x", [3, 2]), b.scalar(-2, "i64"), -1),
  "Gather, operator set 17": {
    opset: 17,
    build: (example) => gather(example.x("x", [3, 2]), unknown(example, [2, 0, 2], [3])),
  },
  GatherElements: (example) =>
    gatherElements(example.x("x", [3, 4]), unknown(example, rows(example, 6, 4), [3, 2]), -1),
  GatherND: (example) => gatherND(example.x("x", [3, 4, 2]), unknown(example, rows(example, 6, 3), [3, 2])),
  "GatherND with batch axes": (example) =>
    example.b.emit(
      "GatherND",
      [example.x("x", [2, 3, 2]), unknown(example, rows(example, 8, 3), [2, 4, 1])],
      [{ dtype: example.dtype, shape: [2, 4, 2] }],
      { attributes: { batch_dims: int(1) } },
    ),
  "ScatterElements that adds": (example) =>
    scatterElements(
      example.x("x", [4, 2]),
      unknown(example, rows(example, 6, 4), [3, 2]),
      example.x("y", [3, 2]),
      {
        reduction: "add",
      },
    ),
  "ScatterElements that replaces": (example) =>
    scatterElements(
      example.x("x", [1, 5]),
      unknown(example, distinct(example, 3, 5), [1, 3]),
      example.x("y", [1, 3]),
      { axis: 1 },
    ),
  "ScatterND that adds": (example) =>
    scatterND(example.x("x", [4, 2]), unknown(example, rows(example, 3, 4), [3, 1]), example.x("y", [3, 2]), {
      reduction: "add",
    }),
  "ScatterND that replaces": (example) =>
    scatterND(
      example.x("x", [4, 2]),
      unknown(example, distinct(example, 3, 4), [3, 1]),
      example.x("y", [3, 2]),
    ),
  TopK: ({ x, b, dtype, random }) =>
    b.emit(
      "TopK",
      [x("x", [2, 5]), b.ints([3])],
      [
        { dtype, shape: [2, 3] },
        { dtype: "i64", shape: [2, 3] },
      ],
      { attributes: { largest: int(random.integer(2)) } },
    ),
});

import { gradient } from "@isthmus/autodiff";
import { at, createRandom } from "@isthmus/core";
import {
  concat,
  cumSum,
  depthToSpace,
  expand,
  GraphBuilder,
  pad,
  reduceSum,
  reshape,
  reverse,
  slice,
  spaceToDepth,
  split,
  squeeze,
  sub,
  tile,
  transpose,
  triangle,
  unsqueeze,
  type Value,
} from "@isthmus/graph/builder";
import { int, string } from "@isthmus/graph/ir";
import { expect, test } from "vitest";
import {
  anyShape,
  broadcastTo,
  type Example,
  oneOf,
  testRules,
} from "../../../test/helpers/gradient-laws.ts";

/** An enlargement by 2 of the rows and by 3 of the columns, with each element copied as a block. */
function enlarge(modes: Readonly<Record<string, string>>, scales = [1, 1, 2, 3]) {
  const from = [1, 2, 2, 3];
  const shape = from.map((extent, axis) => Math.floor(extent * (scales[axis] as number)));
  return ({ x, b, dtype }: Example): readonly Value[] =>
    b.emit("Resize", [x("x", from), undefined, b.numbers(scales, "f32")], [{ dtype, shape }], {
      attributes: Object.fromEntries(Object.entries(modes).map(([name, mode]) => [name, string(mode)])),
    });
}

/** A slice as exporters write it: any begins, ends and steps, negative ones too, on some axes. */
function anySlice({ random, x, b }: Example): Value {
  const input = x("x", [2 + random.integer(3), 3 + random.integer(5), 1 + random.integer(4)]);
  const axes = [0, 1, 2].filter(() => random.integer(3) > 0);
  const steps = axes.map(() => oneOf(random, [1, 2, 3, -1, -2]));
  const shape = [...input.shape];
  const ranges = axes.map((axis, i) => {
    const extent = input.shape[axis] as number;
    const step = steps[i] as number;
    const first = random.integer(extent);
    const last = step > 0 ? first + random.integer(extent - first) : random.integer(first + 1);
    shape[axis] = Math.floor((last - first) / step) + 1;
    // The end is one beyond the last; before the first element it must be written as -extent - 1 or less.
    const end = step > 0 ? last + 1 : last - 1;
    const far = step > 0 ? 1000 : -1000;
    const written = end < 0 || (end >= extent && random.integer(2) === 0) ? far : end;
    return { begin: first - oneOf(random, [0, extent]), end: written };
  });
  const operands = [ranges.map(({ begin }) => begin), ranges.map(({ end }) => end), axes, steps];
  return b.emit(
    "Slice",
    [input, ...operands.map((numbers) => b.ints(numbers))],
    [{ dtype: input.dtype, shape }],
  )[0] as Value;
}

/** Padding by any mode, with axes as an input or not, for constants also cutting off. */
function anyPad({ random, x, b, dtype }: Example): Value {
  const mode = oneOf(random, ["constant", "reflect", "edge", "wrap"]);
  const input = x("x", [2, 3 + random.integer(2), 3]);
  const amount = () => random.integer(3) - (mode === "constant" ? 1 : 0);
  const axes = oneOf(random, [undefined, [2, -2]]);
  const before = input.shape.map((_, axis) => (axis === 0 ? 0 : amount()));
  const after = input.shape.map((_, axis) => (axis === 0 ? 0 : amount()));
  const shape = input.shape.map((extent, axis) => extent + (before[axis] ?? 0) + (after[axis] ?? 0));
  const written = [before, after].flatMap((pads) =>
    axes === undefined ? pads : [pads[2] ?? 0, pads[1] ?? 0],
  );
  const operands = [input, b.ints(written), mode === "constant" ? x("value", []) : undefined];
  return b.emit("Pad", axes === undefined ? operands : [...operands, b.ints(axes)], [{ dtype, shape }], {
    attributes: { mode: string(mode) },
  })[0] as Value;
}

const einsum =
  (equation: string, shapes: readonly (readonly number[])[], shape: readonly number[]) =>
  ({ x, b, dtype }: Example): Value =>
    b.emit(
      "Einsum",
      shapes.map((extents, i) => x(`x${i}`, extents)),
      [{ dtype, shape }],
      {
        attributes: { equation: string(equation) },
      },
    )[0] as Value;

testRules({
  Reshape: ({ x }) => reshape(x("x", [2, 6]), [3, -1]),
  Flatten: ({ x, b, dtype }) =>
    b.emit("Flatten", [x("x", [2, 3, 2])], [{ dtype, shape: [6, 2] }], { attributes: { axis: int(2) } }),
  Squeeze: ({ x }) => squeeze(x("x", [2, 1, 3, 1]), [1, -1]),
  "Squeeze of all": ({ x, b, dtype }) =>
    b.emit("Squeeze", [x("x", [2, 1, 3, 1])], [{ dtype, shape: [2, 3] }]),
  Unsqueeze: ({ x }) => unsqueeze(x("x", [2, 3]), [0, -1]),
  Identity: ({ x, b, dtype }) => b.emit("Identity", [x("x", [2, 3])], [{ dtype, shape: [2, 3] }]),
  Dropout: ({ x, b, dtype }) =>
    b.emit("Dropout", [x("x", [2, 3]), b.scalar(0.5, dtype)], [{ dtype, shape: [2, 3] }]),
  Transpose: ({ random, x }) => transpose(x("x", anyShape(random, 4)), random.shuffleInPlace([0, 1, 2, 3])),
  "Transpose without an order": ({ x, b, dtype }) =>
    b.emit("Transpose", [x("x", [2, 3, 4])], [{ dtype, shape: [4, 3, 2] }]),
  Concat: ({ random, x }) => {
    const axis = random.integer(3);
    const shape = anyShape(random, 3);
    const part = (i: number) =>
      x(
        `x${i}`,
        shape.map((extent, at) => (at === axis ? 1 + random.integer(3) : extent)),
      );
    return concat(
      Array.from({ length: 1 + random.integer(3) }, (_, i) => part(i)),
      axis - oneOf(random, [0, 3]),
    );
  },
  Split: ({ x }) => split(x("x", [2, 6]), 1, [1, 3, 2]),
  "Split of which a part is used": ({ x }) => split(x("x", [2, 6]), 1, [1, 3, 2])[1] as Value,
  "Split into equal parts": ({ x, b, dtype }) =>
    b.emit(
      "Split",
      [x("x", [5, 2])],
      [3, 2].map((extent) => ({ dtype, shape: [extent, 2] })),
      {
        attributes: { num_outputs: int(2) },
      },
    ),
  Slice: anySlice,
  "Slice with steps": ({ x }) => slice(x("x", [7, 3]), [{ axis: 0, begin: 1, end: 7, step: 2 }]),
  reverse: ({ x }) => reverse(x("x", [2, 4]), 1),
  Expand: ({ random, x }) => {
    const shape = anyShape(random, 3);
    return expand(x("x", broadcastTo(random, shape)), shape);
  },
  Tile: ({ random, x }) => tile(x("x", anyShape(random, 2)), [1 + random.integer(3), 1 + random.integer(3)]),
  Resize: { build: enlarge({}), precision: "multilinear" },
  "Resize as PyTorch exports it": {
    build: enlarge({ coordinate_transformation_mode: "asymmetric", nearest_mode: "floor", mode: "nearest" }),
    precision: "multilinear",
  },
  Pad: anyPad,
  "Pad of the builder": ({ x }) => pad(x("x", [2, 3]), [0, -1], [1, 2], 3),
  CumSum: ({ random, x }) =>
    cumSum(x("x", anyShape(random, 3)), random.integer(3) - oneOf(random, [0, 3]), {
      exclusive: random.integer(2) === 0,
      reverse: random.integer(2) === 0,
    }),
  Trilu: ({ random, x }) =>
    triangle(x("x", [2, 3, 4]), { upper: random.integer(2) === 0, diagonal: random.integer(5) - 2 }),
  DepthToSpace: ({ x }) => depthToSpace(x("x", [1, 8, 1, 2]), 2),
  "DepthToSpace, columns first": ({ x, b, dtype }) =>
    b.emit("DepthToSpace", [x("x", [1, 8, 1, 2])], [{ dtype, shape: [1, 2, 2, 4] }], {
      attributes: { blocksize: int(2), mode: string("CRD") },
    }),
  SpaceToDepth: ({ x }) => spaceToDepth(x("x", [1, 2, 2, 4]), 2),
  "Einsum of matrices": einsum(
    "bij,bjk->bik",
    [
      [2, 3, 2],
      [2, 2, 3],
    ],
    [2, 3, 3],
  ),
  "Einsum with an index of one operand": einsum("ij,k->k", [[2, 3], [4]], [4]),
  "Einsum without a result": einsum(
    "ij,jk",
    [
      [2, 3],
      [3, 4],
    ],
    [2, 4],
  ),
  "Einsum of three": einsum(
    "ia,ja,ka->ijk",
    [
      [2, 2],
      [3, 2],
      [2, 2],
    ],
    [2, 3, 2],
  ),
  "sub of two uses": ({ x }) => {
    const value = x("x", [2, 3]);
    return sub(transpose(reshape(value, [3, 2]), [1, 0]), value);
  },
});

test("gradient() refuses a Resize that does not copy by whole factors, and says why", () => {
  const differentiate = (modes: Readonly<Record<string, string>>, scales?: number[]) => {
    const b = new GraphBuilder("resize", 21);
    const x = (name: string, shape: readonly number[]) => b.input(name, { dtype: "f32", shape });
    const y = enlarge(modes, scales)({ b, x, dtype: "f32", random: createRandom(0, "resize") });
    const loss = reduceSum(at(y, 0, "result"));
    return gradient(b.build([loss]), { loss: loss.name, withRespectTo: ["x"] });
  };
  expect(() => differentiate({ mode: "linear" })).toThrow(
    /Cannot differentiate node "Resize_0" as Resize must have mode "nearest" to have a gradient: it is "linear"/,
  );
  expect(() => differentiate({ coordinate_transformation_mode: "asymmetric" })).toThrow(
    /must copy each element as a block to have a gradient: it is "asymmetric" with "round"/,
  );
  expect(() => differentiate({}, [1, 1, 2, 1.5])).toThrow(
    /must enlarge by whole factors to have a gradient: it is 1, 1, 2, 1.5/,
  );
});

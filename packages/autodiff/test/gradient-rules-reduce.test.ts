import { abs, add, logSoftmax, softmax, type Value } from "@isthmus/graph/builder";
import { int, ints } from "@isthmus/graph/ir";
import {
  anyShape,
  type Example,
  oneOf,
  type RuleCase,
  testRules,
} from "../../../test/helpers/gradient-laws.ts";

const identity = (x: Value): Value => x;
const positive = (x: Value): Value => add(abs(x), 0.5);

/** A reduction over random axes, given as the operator set wants them, or over all or none. */
function reduction(op: string, prepare: (x: Value) => Value = identity): (example: Example) => Value {
  return ({ random, x, b }) => {
    const rank = 1 + random.integer(4);
    const input = prepare(x("x", anyShape(random, rank)));
    const axes = Array.from({ length: rank }, (_, axis) => axis).filter(() => random.integer(2) === 0);
    const keepDims = random.integer(2) === 1;
    const isNoop = axes.length === 0 && b.opset >= 18 && random.integer(2) === 0;
    const reduced = axes.length === 0 && !isNoop ? input.shape.map((_, axis) => axis) : axes;
    const kept = input.shape.map((extent, axis) => (reduced.includes(axis) ? 1 : extent));
    const shape = keepDims ? kept : kept.filter((_, axis) => !reduced.includes(axis));
    const written = axes.map((axis) => axis - oneOf(random, [0, rank]));
    const asInput = b.opset >= (op === "ReduceSum" ? 13 : 18);
    const operands = asInput && axes.length > 0 ? [input, b.ints(written)] : [input];
    return b.emit(op, operands, [{ dtype: input.dtype, shape }], {
      attributes: {
        keepdims: int(keepDims ? 1 : 0),
        ...(isNoop ? { noop_with_empty_axes: int(1) } : {}),
        ...(asInput || axes.length === 0 ? {} : { axes: ints(written) }),
      },
    })[0] as Value;
  };
}

/** In both forms of the axes. */
const bothForms = (name: string, build: (example: Example) => Value): [string, RuleCase][] =>
  [17, 21].map((opset) => [`${name}, operator set ${opset}`, { build, opset }]);

const prepared: Readonly<Record<string, (x: Value) => Value>> = {
  ReduceSum: identity,
  ReduceMean: identity,
  ReduceMax: identity,
  ReduceMin: identity,
  ReduceSumSquare: identity,
  ReduceL1: identity,
  ReduceL2: identity,
  ReduceLogSum: positive,
  ReduceLogSumExp: identity,
  ReduceProd: identity,
};

testRules(
  Object.fromEntries(
    Object.entries(prepared).flatMap(([op, prepare]) => bothForms(op, reduction(op, prepare))),
  ),
);

testRules({
  // The product of the others is wanted: a quotient would divide by 0.
  "ReduceProd with zeros": {
    second: false,
    values: { x: [0, 1.5, -2, 0, 0, 3, 1, 2, 0.5, 0, 0, 0] },
    build: ({ b, x, dtype }) =>
      b.emit("ReduceProd", [x("x", [4, 3]), b.ints([1])], [{ dtype, shape: [4, 1] }])[0] as Value,
  },
  Softmax: ({ random, x }) => softmax(x("x", anyShape(random, 3)), random.integer(3) - 1),
  LogSoftmax: ({ random, x }) => logSoftmax(x("x", anyShape(random, 3)), random.integer(3) - 1),
});

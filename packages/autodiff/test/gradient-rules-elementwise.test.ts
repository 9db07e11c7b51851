import {
  abs,
  add,
  cast,
  clip,
  cos,
  div,
  exp,
  greater,
  log,
  max,
  min,
  mul,
  neg,
  pow,
  reciprocal,
  relu,
  sigmoid,
  sin,
  sqrt,
  sub,
  sum,
  tanh,
  type Value,
  where,
} from "@isthmus/graph/builder";
import { anyShape, broadcastTo, type Example, testRules } from "../../../test/helpers/gradient-laws.ts";

type Binary = (x: Value, y: Value) => Value;
type Unary = (x: Value) => Value;

/** An operator on operands of which either may be broadcast. */
const binary =
  (apply: Binary) =>
  ({ random, x }: Example): Value => {
    const shape = anyShape(random, 1 + random.integer(3));
    const [first, second] =
      random.integer(2) === 0 ? [shape, broadcastTo(random, shape)] : [broadcastTo(random, shape), shape];
    return apply(x("x", first as number[]), x("y", second as number[]));
  };

const unary =
  (apply: Unary) =>
  ({ random, x }: Example): Value =>
    apply(x("x", anyShape(random, 1 + random.integer(3))));

/** Positive numbers of at least 0.6, for functions that need them. */
const positive = (x: Value): Value => add(abs(x), 0.5);

const variadic =
  (op: string) =>
  ({ random, x, b, dtype }: Example) => {
    const shape = anyShape(random, 2);
    const operands = Array.from({ length: 1 + random.integer(3) }, (_, i) =>
      x(`x${i}`, broadcastTo(random, shape)),
    );
    const whole = x("whole", shape);
    return b.emit(op, [whole, ...operands], [{ dtype, shape }]);
  };

testRules({
  Add: binary(add),
  Sub: binary(sub),
  Mul: binary(mul),
  Div: binary((x, y) => div(x, y.builder === x.builder ? mul(positive(y), 2) : y)),
  Pow: binary((x, y) => pow(positive(x), y)),
  "Pow by constants": ({ random, x, b, dtype }) => {
    const exponents = [2, 3, 1, -1, 0.5, 0, 4];
    const base = x("x", [4]);
    const exponent = exponents[random.integer(exponents.length)] as number;
    return pow(exponent === 0.5 ? positive(base) : base, b.scalar(exponent, dtype));
  },
  "Pow by whole numbers": ({ x, b }) => pow(x("x", [2, 3]), b.numbers([0, 2, 3], "i64")),
  Max: binary(max),
  Min: binary(min),
  "Max of several": variadic("Max"),
  "Min of several": variadic("Min"),
  "Sum of several": variadic("Sum"),
  "Mean of several": { build: variadic("Mean"), precision: "multilinear" },
  "sum of some": ({ x }) => sum([x("x", [3]), x("y", [2, 1])]),
  Where: ({ random, b, x }) => {
    const shape = anyShape(random, 3);
    const condition = greater(
      b.numbers(
        Array.from({ length: 4 }, () => random.normal()),
        "f32",
        [4, 1, 1, 1],
      ),
      0,
    );
    return where(condition, x("x", broadcastTo(random, shape)), x("y", shape));
  },
  "CastLike, which only reads the type of its second operand": ({ x, b, dtype }) => {
    const [value, like] = [x("x", [2, 3]), x("like", [2, 3])];
    return mul(b.emit("CastLike", [value, like], [{ dtype, shape: [2, 3] }])[0] as Value, value);
  },
  Cast: { build: ({ x }) => cast(mul(cast(x("x", [2, 3]), "f32"), 2), "f64"), precision: "multilinear" },
  Clip: ({ random, x, b, dtype }) => {
    const bounds = [undefined, -0.77 - random.uniform() * 0.001];
    return clip(x("x", [40]), bounds[random.integer(2)], b.scalar(0.7, dtype));
  },
  "Clip by computed bounds": ({ x }) => {
    const low = sub(tanh(x("low", [])), 1.6);
    return clip(x("x", [2, 7]), low, add(low, 2));
  },
  Relu: unary(relu),
  Abs: unary(abs),
  Neg: unary(neg),
  Exp: unary(exp),
  Log: unary((x) => log(positive(x))),
  Sqrt: unary((x) => sqrt(positive(x))),
  Reciprocal: unary(reciprocal),
  Sin: unary(sin),
  Cos: unary(cos),
  Tanh: unary(tanh),
  Sigmoid: unary(sigmoid),
});

import type { DType } from "@isthmus/core";
import { float, int } from "../../ir/attributes.ts";
import { codeOfDType } from "../../onnx/tensor-proto.ts";
import { broadcastShapes } from "../broadcast-shapes.ts";
import type { Operand, PlainAttributes, Value } from "../graph-builder.ts";

/** Turns numbers into constants of the type of the first value, as ONNX requires operands of one type. */
function resolve(operands: readonly Operand[]): Value[] {
  const model = operands.find((operand) => typeof operand !== "number") as Value;
  return operands.map((operand) =>
    typeof operand === "number" ? model.builder.scalar(operand, model.dtype) : operand,
  );
}

/** Emits an operator with broadcasting. */
function combine(op: string, operands: readonly Operand[], dtype?: DType): Value {
  const values = resolve(operands);
  const [first] = values as [Value];
  const shape = broadcastShapes(...values.map((value) => value.shape));
  return first.builder.emit(op, values, [{ dtype: dtype ?? first.dtype, shape }])[0] as Value;
}

/** Emits an operator on the elements of one value. */
function map(op: string, x: Value, attributes: PlainAttributes = {}, dtype: DType = x.dtype): Value {
  return x.builder.emit(op, [x], [{ dtype, shape: x.shape }], { attributes })[0] as Value;
}

/** Computes `x + y`, broadcast. */
export const add = (x: Operand, y: Operand): Value => combine("Add", [x, y]);
/** Computes `x - y`, broadcast. */
export const sub = (x: Operand, y: Operand): Value => combine("Sub", [x, y]);
/** Computes `x y`, element by element, broadcast. */
export const mul = (x: Operand, y: Operand): Value => combine("Mul", [x, y]);
/** Computes `x / y`, broadcast. */
export const div = (x: Operand, y: Operand): Value => combine("Div", [x, y]);
/** Computes `x ** y`, broadcast. */
export const pow = (x: Operand, y: Operand): Value => combine("Pow", [x, y]);
/** Returns the larger of two, broadcast. */
export const max = (x: Operand, y: Operand): Value => combine("Max", [x, y]);
/** Returns the smaller of two, broadcast. */
export const min = (x: Operand, y: Operand): Value => combine("Min", [x, y]);
/** Checks whether `x = y`, broadcast. */
export const equal = (x: Operand, y: Operand): Value => combine("Equal", [x, y], "bool");
/** Checks whether `x > y`, broadcast. */
export const greater = (x: Operand, y: Operand): Value => combine("Greater", [x, y], "bool");
/** Checks whether `x >= y`, broadcast. */
export const greaterOrEqual = (x: Operand, y: Operand): Value => combine("GreaterOrEqual", [x, y], "bool");
/** Checks whether `x < y`, broadcast. */
export const less = (x: Operand, y: Operand): Value => combine("Less", [x, y], "bool");
/** Checks whether `x <= y`, broadcast. */
export const lessOrEqual = (x: Operand, y: Operand): Value => combine("LessOrEqual", [x, y], "bool");
/** Checks whether both hold, broadcast. */
export const and = (x: Value, y: Value): Value => combine("And", [x, y], "bool");
/** Checks whether either holds, broadcast. */
export const or = (x: Value, y: Value): Value => combine("Or", [x, y], "bool");
/** Checks whether `x` does not hold. */
export const not = (x: Value): Value => map("Not", x);

/** Returns `x` where the condition holds, else `y`, broadcast. */
export function where(condition: Value, x: Operand, y: Operand): Value {
  const [first, second] = resolve([x, y]) as [Value, Value];
  const shape = broadcastShapes(condition.shape, first.shape, second.shape);
  return condition.builder.emit(
    "Where",
    [condition, first, second],
    [{ dtype: first.dtype, shape }],
  )[0] as Value;
}

/** Computes the sum of any number of values, at least one, broadcast. */
export function sum(values: readonly Value[]): Value {
  return values.length === 1 ? (values[0] as Value) : combine(values.length === 2 ? "Add" : "Sum", values);
}

/** Computes `-x`. */
export const neg = (x: Value): Value => map("Neg", x);
/** Computes `|x|`. */
export const abs = (x: Value): Value => map("Abs", x);
/** Returns the sign of `x`: -1, 0 or 1. */
export const sign = (x: Value): Value => map("Sign", x);
/** Computes the exponential. */
export const exp = (x: Value): Value => map("Exp", x);
/** Computes the natural logarithm. */
export const log = (x: Value): Value => map("Log", x);
/** Computes the square root. */
export const sqrt = (x: Value): Value => map("Sqrt", x);
/** Computes `1 / x`. */
export const reciprocal = (x: Value): Value => map("Reciprocal", x);
/** Computes the hyperbolic tangent. */
export const tanh = (x: Value): Value => map("Tanh", x);
/** Computes `1 / (1 + exp(-x))`. */
export const sigmoid = (x: Value): Value => map("Sigmoid", x);
/** Computes the error function. */
export const erf = (x: Value): Value => map("Erf", x);
/** Computes `max(x, 0)`. */
export const relu = (x: Value): Value => map("Relu", x);
/** Computes the sine. */
export const sin = (x: Value): Value => map("Sin", x);
/** Computes the cosine. */
export const cos = (x: Value): Value => map("Cos", x);
/** Computes `x` where positive, else `slope * x`. */
export const leakyRelu = (x: Value, slope: number): Value => map("LeakyRelu", x, { alpha: float(slope) });

/** Converts `x` to another element type; returns `x` itself if it already has that type. */
export function cast(x: Value, dtype: DType): Value {
  if (x.dtype === dtype) return x;
  return map("Cast", x, { to: int(codeOfDType(dtype)) }, dtype);
}

import { at, sizeOf } from "@isthmus/core";
import {
  cast,
  cumSum,
  div,
  equal,
  exp,
  expand,
  mul,
  neg,
  reduceProd,
  reduceSum,
  reshape,
  sign,
  sub,
  type Value,
  where,
} from "@isthmus/graph/builder";
import { intAttribute, intsAttribute, wrapAxis } from "@isthmus/graph/ir";
import type { GradientContext, GradientRule, GradientRules } from "../gradient-rule.ts";

/** Operand, result and gradient of a reduction. */
interface Reduction {
  readonly x: Value;
  /** The result; reduced axes have extent 1. */
  readonly y: Value;
  /** The gradient for the result; reduced axes have extent 1. */
  readonly g: Value;
  /** Axes that are reduced, ascending. */
  readonly axes: readonly number[];
}

/** Function that computes the gradient of a reduction for `x`. */
type ReductionChain = (reduction: Reduction) => Value;

/** Returns a rule that differentiates a reduction, whether its axes are an attribute or an input. */
const byReduction =
  (chain: ReductionChain): GradientRule =>
  (context) => {
    const x = context.operand(0);
    const axes = reducedAxes(context, x.shape.length);
    const shape = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
    return [chain({ x, y: reshape(context.result(), shape), g: reshape(context.cotangent(), shape), axes })];
  };

function reducedAxes(context: GradientContext, rank: number): number[] {
  const { node } = context;
  const axes = intsAttribute(node, "axes") ?? context.settledNumbers(1) ?? [];
  if (axes.length > 0) return axes.map((axis) => wrapAxis(axis, rank)).sort((a, b) => a - b);
  return intAttribute(node, "noop_with_empty_axes", 0) === 1 ? [] : Array.from({ length: rank }, (_, i) => i);
}

/** Differentiates `y = sum x`: `g` to every element. */
const sumChain: ReductionChain = ({ x, g }) => expand(g, x.shape);

/** Differentiates `y = mean x`: an even share of `g` to every element. */
const meanChain: ReductionChain = ({ x, g }) => expand(mul(g, sizeOf(g.shape) / sizeOf(x.shape)), x.shape);

/** Differentiates `y = sum |x|`: `g sign(x)`. */
const firstNormChain: ReductionChain = ({ x, g }) => mul(sign(x), g);

/** Differentiates `y = sqrt(sum x²)`: `g x / y`; 0 at the origin, where the norm has no slope. */
const secondNormChain: ReductionChain = ({ x, y, g }) => mul(x, div(g, where(equal(y, 0), 1, y)));

/** Differentiates `y = sum x²`: `2 g x`. */
const sumSquareChain: ReductionChain = ({ x, g }) => mul(x, mul(g, 2));

/** Differentiates `y = log(sum x)`: `g / sum x` to every element. */
const logSumChain: ReductionChain = ({ x, y, g }) => expand(mul(g, exp(neg(y))), x.shape);

/** Differentiates `y = log(sum exp(x))`: `g` times the softmax of `x`. */
const logSumExpChain: ReductionChain = ({ x, y, g }) => mul(exp(sub(x, y)), g);

/**
 * Differentiates the largest or smallest element: `g` to the largest or smallest element; elements that tie
 * share `g` evenly, as in JAX and PyTorch.
 */
const extremumChain: ReductionChain = ({ x, y, g, axes }) => {
  const won = cast(equal(x, y), x.dtype);
  return mul(won, div(g, reduceSum(won, { axes, keepDims: true })));
};

/**
 * Differentiates `y = prod x`: `g` times the product of the other elements, also if elements are 0. Second
 * derivatives are correct only if no element is 0.
 */
const productChain: ReductionChain = ({ x, g, axes }) => {
  const isZero = equal(x, 0);
  const nonzero = where(isZero, 1, x);
  const zeros = reduceSum(cast(isZero, x.dtype), { axes, keepDims: true });
  const product = mul(g, reduceProd(nonzero, { axes, keepDims: true }));
  const ifNone = where(equal(zeros, 0), product, 0);
  const ifOne = where(equal(zeros, 1), product, 0);
  return where(isZero, ifOne, div(ifNone, nonzero));
};

/** Differentiates a running sum: the running sum of `g` from the other end. */
const cumSumRule: GradientRule = (context) => {
  const { node } = context;
  const axis = at(context.requiredNumbers(1), 0, "axis");
  const exclusive = intAttribute(node, "exclusive", 0) === 1;
  const reverse = intAttribute(node, "reverse", 0) === 0;
  return [cumSum(context.cotangent(), axis, { exclusive, reverse })];
};

/** Rules of operators that combine elements along axes. */
export const REDUCTION_RULES: GradientRules = {
  CumSum: cumSumRule,
  ReduceL1: byReduction(firstNormChain),
  ReduceL2: byReduction(secondNormChain),
  ReduceLogSum: byReduction(logSumChain),
  ReduceLogSumExp: byReduction(logSumExpChain),
  ReduceMax: byReduction(extremumChain),
  ReduceMean: byReduction(meanChain),
  ReduceMin: byReduction(extremumChain),
  ReduceProd: byReduction(productChain),
  ReduceSum: byReduction(sumChain),
  ReduceSumSquare: byReduction(sumSquareChain),
};

import { gemm, mul } from "@isthmus/graph/builder";
import { floatAttribute, intAttribute } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/** `y = alpha a' b' + beta c`, primes for optional transposes: products of the gradient with the other factor, one Gemm each. */
export const gemmRule: GradientRule = (context) => {
  const { node, needs, inputs } = context;
  const given = cotangent(context);
  const [a, b, c] = [operand(context, 0), operand(context, 1), inputs[2]];
  const transA = intAttribute(node, "transA", 0) !== 0;
  const transB = intAttribute(node, "transB", 0) !== 0;
  const alpha = floatAttribute(node, "alpha", 1);
  const beta = floatAttribute(node, "beta", 1);
  const forA = () =>
    transA
      ? gemm(b, given, { transA: transB, transB: true, alpha })
      : gemm(given, b, { transB: !transB, alpha });
  const forB = () =>
    transB
      ? gemm(given, a, { transA: true, transB: transA, alpha })
      : gemm(a, given, { transA: !transA, alpha });
  const forC = (bias: { readonly shape: readonly number[] }) => {
    const reduced = reduceToShape(given, bias.shape);
    return beta === 1 ? reduced : mul(reduced, beta);
  };
  return [
    needs(0) ? forA() : undefined,
    needs(1) ? forB() : undefined,
    c !== undefined && needs(2) ? forC(c) : undefined,
  ];
};

import { intAttribute } from "@isthmus/graph/ir";
import { channelSum } from "../channels.ts";
import { cotangent, type GradientRule, type GradientRules, operand } from "../gradient-rule.ts";
import { convolve } from "../windows/convolution.ts";
import { inputGradient } from "../windows/input-gradient.ts";
import { kernelGradient } from "../windows/kernel-gradient/kernel-gradient.ts";
import { readWindow } from "../windows/window.ts";

/**
 * Differentiates `y = x * w + b`: the adjoint convolution of `g` to `x`; the products of `x` and `g` at each
 * tap to the kernel `w`; the sum of `g` over examples and space to `b`.
 */
const convRule: GradientRule = (context) => {
  const { node, needs } = context;
  const [x, kernel, g] = [operand(context, 0), operand(context, 1), cotangent(context)];
  const axes = readWindow(node, {
    extents: x.shape.slice(2),
    counts: g.shape.slice(2),
    taps: kernel.shape.slice(2),
  });
  const convolution = { axes, group: intAttribute(node, "group", 1) };
  return [
    needs(0) ? inputGradient(g, kernel, convolution) : undefined,
    needs(1) ? kernelGradient(x, g, convolution) : undefined,
    needs(2) ? channelSum(g) : undefined,
  ];
};

/**
 * Differentiates the adjoint of a convolution, plus a bias. The rule is that of `Conv` with input and result
 * in each other's place, so the gradient for `x` is that convolution of `g`.
 */
const convTransposeRule: GradientRule = (context) => {
  const { node, needs } = context;
  const [x, kernel, g] = [operand(context, 0), operand(context, 1), cotangent(context)];
  const axes = readWindow(node, {
    extents: g.shape.slice(2),
    counts: x.shape.slice(2),
    taps: kernel.shape.slice(2),
  });
  const convolution = { axes, group: intAttribute(node, "group", 1) };
  return [
    needs(0) ? convolve(g, kernel, convolution) : undefined,
    needs(1) ? kernelGradient(g, x, convolution) : undefined,
    needs(2) ? channelSum(g) : undefined,
  ];
};

/** Rules of convolutions. */
export const CONVOLUTION_RULES: GradientRules = { Conv: convRule, ConvTranspose: convTransposeRule };

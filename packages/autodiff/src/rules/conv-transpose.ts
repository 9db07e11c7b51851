import { intAttribute } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { channelSum } from "../windows/channel-sum.ts";
import { convolve } from "../windows/convolution.ts";
import { kernelGradient } from "../windows/kernel-gradient/kernel-gradient.ts";
import { readWindow } from "../windows/window.ts";

/**
 * The adjoint of a convolution, plus a bias: input and result change places in the rule of `Conv`, so the gradient for the
 * input is that convolution.
 */
export const convTransposeRule: GradientRule = (context) => {
  const { node, needs } = context;
  const [x, kernel, given] = [operand(context, 0), operand(context, 1), cotangent(context)];
  const axes = readWindow(node, {
    extents: given.shape.slice(2),
    counts: x.shape.slice(2),
    taps: kernel.shape.slice(2),
  });
  const convolution = { axes, group: intAttribute(node, "group", 1) };
  return [
    needs(0) ? convolve(given, kernel, convolution) : undefined,
    needs(1) ? kernelGradient(given, x, convolution) : undefined,
    needs(2) ? channelSum(given) : undefined,
  ];
};

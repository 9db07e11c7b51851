import { intAttribute } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { channelSum } from "../windows/channel-sum.ts";
import { inputGradient } from "../windows/input-gradient.ts";
import { kernelGradient } from "../windows/kernel-gradient/kernel-gradient.ts";
import { readWindow } from "../windows/window.ts";

/** `y = x * w + b`: for the input the adjoint convolution, for the kernel the products of input and gradient at each tap. */
export const convRule: GradientRule = (context) => {
  const { node, needs } = context;
  const [x, kernel, given] = [operand(context, 0), operand(context, 1), cotangent(context)];
  const axes = readWindow(node, {
    extents: x.shape.slice(2),
    counts: given.shape.slice(2),
    taps: kernel.shape.slice(2),
  });
  const convolution = { axes, group: intAttribute(node, "group", 1) };
  return [
    needs(0) ? inputGradient(given, kernel, convolution) : undefined,
    needs(1) ? kernelGradient(x, given, convolution) : undefined,
    needs(2) ? channelSum(given) : undefined,
  ];
};

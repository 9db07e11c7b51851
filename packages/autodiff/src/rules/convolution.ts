import { at } from "@isthmus/core";
import { conv, reshape, reverse, transpose, type Value } from "@isthmus/graph/builder";
import { intAttribute } from "@isthmus/graph/ir";
import { channelSum } from "../channels.ts";
import type { GradientContext, GradientRule, GradientRules } from "../gradient-rule.ts";
import { type Convolution, convolve, convolveTransposed } from "../windows/convolution.ts";
import { kernelGradient } from "../windows/kernel-gradient.ts";
import { perAxis, readWindow, type WindowAxis } from "../windows/window.ts";

/**
 * Differentiates `y = x * w + b`: the adjoint convolution of `g` to `x`; the products of `x` and `g` at each
 * tap to the kernel `w`; the sum of `g` over examples and space to `b`.
 */
const convRule: GradientRule = (context) => {
  const { needs, convolvesExamples } = context;
  const [x, kernel, g] = [context.operand(0), context.operand(1), context.cotangent()];
  const convolution = readConvolution(context, { input: x, kernel, result: g });
  return [
    needs(0) ? inputGradient(g, kernel, convolution) : undefined,
    needs(1) ? kernelGradient(x, g, { ...convolution, convolvesExamples }) : undefined,
    needs(2) ? channelSum(g) : undefined,
  ];
};

/**
 * Differentiates the adjoint of a convolution, plus a bias. The rule is the same as for `Conv` with input and
 * result in each other's place, so the gradient for `x` is the convolution of `g`.
 */
const convTransposeRule: GradientRule = (context) => {
  const { needs, convolvesExamples } = context;
  const [x, kernel, g] = [context.operand(0), context.operand(1), context.cotangent()];
  const convolution = readConvolution(context, { input: g, kernel, result: x });
  return [
    needs(0) ? convolve(g, kernel, convolution) : undefined,
    needs(1) ? kernelGradient(g, x, { ...convolution, convolvesExamples }) : undefined,
    needs(2) ? channelSum(g) : undefined,
  ];
};

/** Values that a convolution joins; of an adjoint convolution, `input` is the result. */
interface Convolved {
  readonly input: Value;
  readonly kernel: Value;
  readonly result: Value;
}

function readConvolution({ node }: GradientContext, { input, kernel, result }: Convolved): Convolution {
  const axes = readWindow(node, {
    extents: input.shape.slice(2),
    counts: result.shape.slice(2),
    taps: kernel.shape.slice(2),
  });
  return { axes, group: intAttribute(node, "group", 1) };
}

/** Rules of convolutions. */
export const CONVOLUTION_RULES: GradientRules = { Conv: convRule, ConvTranspose: convTransposeRule };

/**
 * Input channels below which a transposed convolution is faster, as they fill no block of the engine's
 * kernels: for one channel it reaches 27 GFLOP/s, the convolution 7; for 6 channels by 5x5, 42 and 17; for 8
 * and 12 by 3x3, 46 and 26, 59 and 36. For 24 they tie.
 */
const BLOCK_OF_CHANNELS = 16;

/**
 * Computes the gradient for the input of a convolution, `[batch, in, ...extents]`, from `g`,
 * the gradient for its result.
 *
 * At stride 1 it is a convolution with the reversed kernel, which engines run faster than the transposed
 * convolution: 67-100 GFLOP/s against 39-67 at 16 to 128 channels (onnxruntime, one thread), depthwise 6
 * against 4. At stride 2 it is the transposed convolution: 44-49 against 7-14 for a convolution with
 * zeros put between the elements.
 */
export function inputGradient(g: Value, kernel: Value, convolution: Convolution): Value {
  const { axes, group } = convolution;
  const isNarrow = group === 1 && at(kernel.shape, 1, "axis") < BLOCK_OF_CHANNELS;
  if (isNarrow || !axes.every(isReversible)) return convolveTransposed(g, kernel, convolution);
  return conv(g, reverseKernel(kernel, group), {
    dilations: perAxis(axes, "dilation"),
    pads: [...axes.map(padBefore), ...axes.map((axis) => reachOf(axis) - axis.after)],
    group,
  });
}

/** Returns the distance between the first and the last element of a window. */
const reachOf = ({ taps, dilation }: WindowAxis) => dilation * (taps - 1);

const padBefore = (axis: WindowAxis) => reachOf(axis) - axis.before;

/**
 * Checks whether the adjoint along an axis is a convolution, too: at stride 1, with no more padding than a
 * window reaches.
 */
function isReversible(axis: WindowAxis): boolean {
  return axis.stride === 1 && padBefore(axis) >= 0 && axis.after <= reachOf(axis);
}

/** Turns `[out, in / group, ...taps]` into `[in, out / group, ...taps]`, taps backwards. */
function reverseKernel(kernel: Value, group: number): Value {
  const [out = 0, inner = 0, ...taps] = kernel.shape;
  const spatial = taps.map((_, i) => i + 2);
  const grouped = reshape(kernel, [group, out / group, inner, ...taps]);
  const turned = transpose(grouped, [0, 2, 1, ...spatial.map((axis) => axis + 1)]);
  return spatial
    .filter((axis) => kernel.shape[axis] !== 1)
    .reduce(reverse, reshape(turned, [group * inner, out / group, ...taps]));
}

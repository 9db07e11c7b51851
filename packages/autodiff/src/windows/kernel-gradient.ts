import { at, sizeOf } from "@isthmus/core";
import {
  concat,
  conv,
  matMul,
  reduceSum,
  reshape,
  slice,
  transpose,
  transposeLast,
  type Value,
} from "@isthmus/graph/builder";
import { type Convolution, convolve } from "./convolution.ts";
import { padForWindows, tapRange, tapsOf } from "./route-to-tiles.ts";
import { perAxis, type WindowAxis } from "./window.ts";

/** Taps up to which each tap may be one slice: a window of 3 by 3. */
const FEW_TAPS = 9;

/**
 * Input channels from which a product with one tap of all of them fills the
 * engine's kernels, 16 numbers wide.
 */
const WIDE = 16;

/** Input channels, as many as an image has, up to which only all taps together fill the kernels. */
const NARROW = 3;

/** A convolution, and which forms of the gradient for its kernel may be taken. */
interface KernelConvolution extends Convolution {
  /** Whether the gradient may be a convolution whose channels are the examples. @defaultValue false */
  readonly convolvesExamples?: boolean;
}

/**
 * Computes the gradient for the kernel of a convolution, `[out, in / group, ...taps]`, in the form
 * that is fastest for its shape.
 *
 * Numbers in the comments are GFLOP/s of onnxruntime by processor time of one thread while the machine did
 * other work too. Numbers of one line were measured in one run and can be compared; differences below a fifth
 * say nothing. `bench/gradient.bench.ts --forms` measures them again.
 *
 * @param x - value that the windows slide over, `[batch, in, ...extents]`
 * @param g - gradient for the result, `[batch, out, ...counts]`
 */
export function kernelGradient(x: Value, g: Value, convolution: KernelConvolution): Value {
  const { axes, group, convolvesExamples = false } = convolution;
  const taps = sizeOf(perAxis(axes, "taps"));
  const [batch = 0, channels = 0] = x.shape;
  const out = at(g.shape, 1, "axis");
  const isStrided = axes.some(({ stride }) => stride > 1);
  // Examples as channels in blocks, and positions: 16 channels on 28x28: 60, 33; 32 on 14x14: 99, 56; 64 on
  // 7x7: 157, 70.
  const isBlocked = group === 1 && batch % WIDE === 0 && out % WIDE === 0;
  if (convolvesExamples && isBlocked && axes.at(-1)?.dilation === 1)
    return convolveExamples(x, g, convolution);
  // 3x3 in 4 groups of 16: rows 26, a product a tap 35, batch 14; in 32 of 4: 7, 5, 5; depthwise: 2, 1-3, 1.
  // Depthwise 7x7: batch 4 in one convolution, a product a tap 4 in 200 nodes, rows 2.
  if (group > 1) return (taps <= FEW_TAPS ? multiplyRows : convolveExamples)(x, g, convolution);
  // 960 to 320 channels on 7x7: positions 61, columns 40, batch 38.
  if (taps === 1 && !isStrided) return multiplyPositions(x, g, convolution);
  // 7x7 stride 2 of 3 channels: rows 46, columns 40, positions 13. 5x5 of 64: rows 77, columns 78, positions
  // 76, batch 38, but positions take a hundred nodes and columns as many products again for each tap.
  if (taps > FEW_TAPS) return multiplyRows(x, g, convolution);
  // 1x1 stride 2, 32 to 64 channels on 14x14: columns 50, positions 28, batch 6. 3x3 stride 2, 16 to 32 on
  // 28x28: columns 26, positions 24, batch 25, rows 19; 32 to 64 on 14x14: 33, 37, 35, 23. Columns and
  // positions tie there, but columns have 7 nodes and positions 44. Stride 1, 3 channels on 32x32: columns
  // 50, rows 34, positions 12; one channel on 28x28: 26, 12, 23.
  if (isStrided || channels <= NARROW) return multiplyColumns(x, g, convolution);
  // 4 channels on 28x28: rows 39, columns 22, positions 14; 8 channels: 33, 22, 31.
  if (channels < WIDE) return multiplyRows(x, g, convolution);
  // 16 channels on 28x28: positions 28-36, rows 26, columns 24, batch 19; 32 on 14x14: 45-57, 31, 29, 35;
  // 64 on 7x7: 49-55, 31, 33, 46.
  return multiplyPositions(x, g, convolution);
}

/**
 * Computes the kernel gradient, for any number of groups, by one convolution whose channels are the examples
 * and whose kernel is the gradient `g`, with stride and dilation in each other's place.
 *
 * Channels of `x` lie beside the columns of an image, `[group batch, ...rows, columns inner]`, and the kernel
 * is dilated by as many: the places where it lies along a row then are all channels of all taps of a row, in
 * order, so that even a small window fills the engine's kernels.
 */
function convolveExamples(x: Value, g: Value, { axes, group }: Convolution): Value {
  const [batch = 0, channels = 0] = x.shape;
  const [, out = 0] = g.shape;
  const inner = channels / group;
  const padded = padForWindows(groupsFirst(x, group), axes, group === 1 ? 1 : 2);
  const extents = padded.shape.slice(-1 - axes.length, -1);
  const columns = (values: readonly number[], times: number) => [
    ...values.slice(0, -1),
    at(values, values.length - 1, "axis") * times,
  ];
  const image = reshape(padded, [1, group * batch, ...columns(extents, inner)]);
  const kernel = transpose(g, [1, 0, ...axes.map((_, i) => i + 2)]);
  // Strides would leave out channels along a row, so a dilated row is computed whole.
  const strides = perAxis(axes, "dilation").with(-1, 1);
  const result = conv(image, kernel, { strides, dilations: columns(perAxis(axes, "stride"), inner), group });
  const places = columns(result.shape.slice(2), 1 / inner);
  const ordered = channelsSecond(reshape(result, [out, ...places, inner]));
  // Elements that no window reached lead to too many places here.
  return slice(
    ordered,
    axes.map(({ taps, dilation }, i) => {
      const step = i === axes.length - 1 ? dilation : 1;
      return { axis: i + 2, begin: 0, end: step * (taps - 1) + 1, step };
    }),
  );
}

/**
 * Turns `[batch, channels, ...spatial]` into `[batch, ...spatial, channels]`; if there are several groups,
 * into `[group, batch, ...spatial, channels / group]`.
 */
function groupsFirst(x: Value, group: number): Value {
  if (group === 1) return channelsLast(x);
  const [batch = 0, channels = 0, ...spatial] = x.shape;
  const grouped = reshape(x, [batch, group, channels / group, ...spatial]);
  return transpose(grouped, [1, 0, ...spatial.map((_, i) => i + 3), 2]);
}

/** Turns `[first, ...spatial, channels]` into `[first, channels, ...spatial]`. */
function channelsSecond(x: Value): Value {
  const last = x.shape.length - 1;
  return transpose(x, [0, last, ...Array.from({ length: last - 1 }, (_, i) => i + 1)]);
}

/**
 * Computes the kernel gradient, for one group, by one product for each example: the gradient
 * `[out, positions]` times all elements of every window `[positions, in taps]`. A convolution of each channel
 * with the identity lays these out, on all threads and for any stride. It computes `taps` products for each
 * element that it lays out: few compared to `out` if windows are small.
 */
function multiplyColumns(x: Value, g: Value, { axes }: Convolution): Value {
  const [batch = 0, channels = 0] = x.shape;
  const [, out = 0, ...counts] = g.shape;
  const taps = perAxis(axes, "taps");
  const columns = convolve(x, identityKernels(x, channels, taps), { axes, group: channels });
  const left = reshape(g, [batch, out, sizeOf(counts)]);
  const right = reshape(columns, [batch, channels * sizeOf(taps), sizeOf(counts)]);
  return reshape(reduceSum(matMul(left, transposeLast(right)), { axes: [0] }), [out, channels, ...taps]);
}

/** Makes for each channel and tap a kernel that picks this tap, `[channels taps, 1, ...taps]`. */
function identityKernels({ builder, dtype }: Value, channels: number, taps: readonly number[]): Value {
  const count = sizeOf(taps);
  const kernels = Float64Array.from({ length: channels * count * count }, (_, i) =>
    i % count === Math.floor(i / count) % count ? 1 : 0,
  );
  return builder.numbers(kernels, dtype, [channels * count, 1, ...taps]);
}

/**
 * Positions that one product sums over, at least: with fewer (7x7, 4x4), writing and adding up the
 * products costs as much as computing them. 64 channels on 7x7, 16 examples: 60 GFLOP/s in products
 * of 4 examples, 37 one by one.
 */
const POSITIONS = 192;

/**
 * Computes the kernel gradient, for one group, by products for each tap of the gradient `[out, positions]`
 * with that tap of every window `[positions, in]`, channels last, and their sum. There is one product for
 * each example, or for a few examples if these are small, so that threads share the products.
 */
function multiplyPositions(x: Value, g: Value, { axes }: Convolution): Value {
  const [batch = 0, channels = 0] = x.shape;
  const [, out = 0, ...counts] = g.shape;
  const together = examplesTogether(batch, sizeOf(counts));
  const [products, positions] = [batch / together, together * sizeOf(counts)];
  // If each product is of one example, the gradient is in order already.
  const left =
    together === 1
      ? reshape(g, [products, out, positions])
      : transposeLast(reshape(channelsLast(g), [products, positions, out]));
  const padded = padForWindows(channelsLast(x), axes, 1);
  const parts = tapsOf(axes).map((tap) => {
    const ranges = axes.map((axis, i) => tapRange(axis, at(tap, i, "axis"), i + 1));
    const right = reshape(slice(padded, ranges), [products, positions, channels]);
    return reduceSum(matMul(left, right), { axes: [0], keepDims: true });
  });
  return reshape(transpose(concat(parts, 0), [1, 2, 0]), [out, channels, ...perAxis(axes, "taps")]);
}

/** Turns `[batch, channels, ...spatial]` into `[batch, ...spatial, channels]`. */
function channelsLast(x: Value): Value {
  const [, , ...spatial] = x.shape.keys();
  return transpose(x, [0, ...spatial, 1]);
}

/**
 * Finds the smallest number of examples that divides the batch and has enough
 * positions; the whole batch if none.
 */
function examplesTogether(batch: number, positions: number): number {
  for (let count = 1; count < batch; count++) {
    if (batch % count === 0 && count * positions >= POSITIONS) return count;
  }
  return batch;
}

/**
 * Computes the kernel gradient, for any number of groups: taps along the last axis become channels; then for
 * each row of taps there is one product of the gradient `[out, positions]` with that row of every window
 * `[positions, in row]`, for all examples and groups at once.
 */
function multiplyRows(x: Value, g: Value, { axes, group }: Convolution): Value {
  const [batch = 0, channels = 0] = x.shape;
  const [, out = 0, ...counts] = g.shape;
  const [inner, outer] = [channels / group, out / group];
  const leading = axes.slice(0, -1);
  const row = axes.at(-1)?.taps ?? 1;
  const lines = lineUpRows(padForWindows(x, axes, 2), axes);
  const left = reshape(g, [batch, group, outer, sizeOf(counts)]);
  const products = tapsOf(leading).map((tap) => {
    const window = slice(
      lines,
      leading.map((axis, i) => tapRange(axis, at(tap, i, "axis"), i + 3)),
    );
    return matMul(left, transposeLast(reshape(window, [batch, group, inner * row, sizeOf(counts)])));
  });
  const total = reduceSum(concat(products, 2), { axes: [0] });
  const ordered = transpose(reshape(total, [group, products.length, outer, inner, row]), [0, 2, 3, 1, 4]);
  return reshape(ordered, [out, inner, ...perAxis(axes, "taps")]);
}

/**
 * Makes channels of the taps along the last axis: `[batch, channels, ...padded, width]` becomes
 * `[batch, channels, row, ...padded, count]`.
 */
function lineUpRows(padded: Value, axes: readonly WindowAxis[]): Value {
  const last = axes.at(-1);
  if (last === undefined) return padded;
  const lines = Array.from({ length: last.taps }, (_, tap) => {
    const line = slice(padded, [tapRange(last, tap, axes.length + 1)]);
    const [batch = 0, channels = 0, ...spatial] = line.shape;
    return reshape(line, [batch, channels, 1, ...spatial]);
  });
  return concat(lines, 2);
}

type KernelForm = "convolveExamples" | "multiplyColumns" | "multiplyPositions" | "multiplyRows";

/** Forms in which the gradient for a kernel can be computed, of which {@link kernelGradient} takes one. */
export const KERNEL_FORMS: Readonly<Record<KernelForm, typeof kernelGradient>> = {
  convolveExamples,
  multiplyColumns,
  multiplyPositions,
  multiplyRows,
};

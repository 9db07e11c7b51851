import { asFloat32, at, entry, type Tensor, UnsupportedError } from "@isthmus/core";
import { createMatrix, type MatrixProducts, solvePositiveDefinite } from "@isthmus/linear-algebra";
import {
  addTo,
  type ImageForm,
  innerProduct,
  type OutputPlaces,
  writeResiduals,
  writeRows,
  writeWindows,
} from "../kernels/layer-panels.ts";
import type { AxisPlan } from "../layout/axis-plan.ts";
import { SIDES } from "../layout/axis-plan.ts";
import type { LinearSite } from "./layer-sites.ts";

/** Sums over examples from which the best change of a layer's weight is computed. */
export interface NormalEquations {
  /** Number of inputs of the layer in the wide network, plus one for the constant if there is one. */
  readonly columns: number;
  /** Number of places of the layer's outputs. */
  readonly outputs: number;
  /** Sums of products of inputs, `[columns, columns]`. */
  readonly gram: Float64Array;
  /** Sums of products of inputs and residuals of the outputs, `[columns, outputs]`. */
  readonly cross: Float64Array;
  /** Sum of squares of the residuals. */
  missing: number;
  /** Sum of squares of the target outputs. */
  target: number;
}

/** Values of one batch around a layer. */
export interface LayerBatch {
  /**
   * Input of the layer in the wide network, `[examples, ..., inputs]`, or
   * `[examples, channels, height, width]` for a convolution.
   */
  readonly input: Tensor;
  /**
   * Output of the layer in the wide network, before the fit, with its channels on axis 1 for a convolution,
   * else last.
   */
  readonly wide: Tensor;
  /** Output of the layer in A, with the channels of A. */
  readonly a: Tensor;
  /** Output of the layer in B in the coordinates of A, with the shape of the output in A. */
  readonly b: Tensor;
  /** Share of A in the target of merged outputs; the rest is the share of B. */
  readonly shareOfA: number;
}

/** Number of rows that are multiplied at once. */
const ROWS = 8192;

/** Adds the contribution of a batch of examples to the normal equations of a layer. */
export async function addBatch(
  site: LinearSite,
  plan: AxisPlan | undefined,
  batch: LayerBatch,
  {
    equations,
    products,
  }: { readonly equations?: NormalEquations | undefined; readonly products: MatrixProducts },
): Promise<NormalEquations> {
  const form = batchForm(site, batch);
  const sums = equations ?? emptyEquations(form.inputs + (site.intercept ? 1 : 0), form.outputs);
  const places = placesOf(plan, form, batch.shareOfA);
  const step = Math.max(1, Math.floor(ROWS / form.inner));
  for (let begin = 0; begin < form.outer; begin += step) {
    const end = Math.min(form.outer, begin + step);
    const rows = (end - begin) * form.inner;
    const panel = new Float32Array(rows * sums.columns);
    if (site.intercept) panel.fill(1);
    const part = (tensor: Tensor) => {
      const size = tensor.data.length / form.outer;
      return asFloat32(tensor.data, tensor.dtype).subarray(begin * size, end * size);
    };
    if (site.window === undefined) writeRows(part(batch.input), form.inputs, sums.columns, panel);
    else writeWindows(part(batch.input), form.image, site.window, sums.columns, panel);
    const residual = new Float32Array(rows * sums.outputs);
    const outputs = { wide: part(batch.wide), a: part(batch.a), b: part(batch.b) };
    sums.target += writeResiduals(outputs, places, residual);
    for (const value of residual) sums.missing += value * value;
    const x = createMatrix(rows, sums.columns, panel);
    const y = createMatrix(rows, sums.outputs, residual);
    addTo(sums.gram, (await products.multiply(x, x, { transposeLeft: true })).data);
    addTo(sums.cross, (await products.multiply(x, y, { transposeLeft: true })).data);
  }
  return sums;
}

function emptyEquations(columns: number, outputs: number): NormalEquations {
  const gram = new Float64Array(columns * columns);
  return { columns, outputs, gram, cross: new Float64Array(columns * outputs), missing: 0, target: 0 };
}

interface BatchForm {
  /** Number of inputs of one row: elements of a window, or of the last axis. */
  readonly inputs: number;
  readonly outputs: number;
  /** Number of channels of the outputs of A. */
  readonly channels: number;
  /** Extent before the axis of outputs: rows are `[outer, inner]`, outputs are `[outer, outputs, inner]`. */
  readonly outer: number;
  readonly inner: number;
  readonly image: ImageForm;
}

function batchForm({ window }: LinearSite, { input, wide, a }: LayerBatch): BatchForm {
  const last = (tensor: Tensor) => at(tensor.shape, tensor.shape.length - 1, "axis");
  if (window === undefined) {
    const image = { channels: 0, height: 0, width: 0, outHeight: 0, outWidth: 0 };
    const outputs = last(wide);
    return {
      inputs: last(input),
      outputs,
      channels: last(a),
      image,
      outer: wide.data.length / outputs,
      inner: 1,
    };
  }
  const [outer = 0, channels = 0, height = 0, width = 0] = input.shape;
  const [, outputs = 0, outHeight = 0, outWidth = 0] = wide.shape;
  return {
    inputs: channels * window.kernel[0] * window.kernel[1],
    outputs,
    channels: at(a.shape, 1, "axis"),
    outer,
    inner: outHeight * outWidth,
    image: { channels, height, width, outHeight, outWidth },
  };
}

function placesOf(
  plan: AxisPlan | undefined,
  { channels, outputs, inner }: BatchForm,
  shareOfBoth: number,
): OutputPlaces {
  const from = plan?.from ?? Int32Array.from({ length: outputs }, (_, i) => i);
  const shareOfA = Float32Array.from(from, (_, i) => {
    const side = plan?.side[i] ?? SIDES.both;
    if (side === SIDES.both) return shareOfBoth;
    return side === SIDES.a ? 1 : 0;
  });
  return { from, shareOfA, channels, inner };
}

/** Error of a layer before and after it was fitted. */
export interface FittedLayer {
  /** Name of the weight. */
  readonly weight: string;
  /** Sum of squares of the residuals before, as a share of the sum of squares of the target. */
  readonly before: number;
  /** The same share after the fit, on the same examples. */
  readonly after: number;
}

/**
 * Changes a layer's weight, and its bias if it has one, by the ridge solution `(G + r I)^-1 C`, where `G` is
 * the Gram matrix of the layer's inputs and `C` holds the inner products of inputs and residuals: a small
 * change that brings the outputs close to their target.
 * @param ridge - ridge relative to the mean of the diagonal of the Gram matrix
 */
export async function solveLayer(
  site: LinearSite,
  { columns, outputs, gram, cross, missing, target }: NormalEquations,
  weights: Map<string, Tensor>,
  { ridge, products }: { readonly ridge: number; readonly products: MatrixProducts },
): Promise<FittedLayer> {
  let trace = 0;
  for (let i = 0; i < columns; i++) trace += at(gram, i * (columns + 1), "sum");
  // Units that are silent on all examples leave a row of zeros, which the ridge alone decides.
  const added = (ridge * trace) / columns || 1;
  const matrix = gram.slice();
  for (let i = 0; i < columns; i++) matrix[i * (columns + 1)] = at(matrix, i * (columns + 1), "sum") + added;
  const right = createMatrix(columns, outputs, cross);
  const solution = await solvePositiveDefinite(createMatrix(columns, columns, matrix), right, products);
  if (solution === undefined) {
    throw new UnsupportedError(
      `Cannot fit "${site.weight}" as the sums of products of its inputs must be positive definite: rounding makes them singular with a ridge of ${ridge}; use a larger one, or more examples`,
      { feature: "ridge" },
    );
  }
  const change = solution.data as Float64Array;
  const image = await products.multiply(createMatrix(columns, columns, gram), solution);
  const left = missing - 2 * innerProduct(change, cross) + innerProduct(change, image.data);
  addChange(site, change, { columns, outputs }, weights);
  const share = (squares: number) => (target > 0 ? Math.max(0, squares) / target : 0);
  return { weight: site.weight, before: share(missing), after: share(left) };
}

function addChange(
  { weight, bias, intercept, outputsFirst }: LinearSite,
  change: Float64Array,
  { columns, outputs }: Pick<NormalEquations, "columns" | "outputs">,
  weights: Map<string, Tensor>,
): void {
  const inputs = intercept ? columns - 1 : columns;
  const before = entry(weights, weight, "weight");
  const data = Float32Array.from(asFloat32(before.data, before.dtype), (value, i) => {
    const [input, output] = outputsFirst
      ? [i % inputs, Math.floor(i / inputs)]
      : [Math.floor(i / outputs), i % outputs];
    return value + at(change, input * outputs + output, "change");
  });
  weights.set(weight, { ...before, data });
  if (bias === undefined) return;
  const constant = entry(weights, bias, "bias");
  const moved = Float32Array.from(
    asFloat32(constant.data, constant.dtype),
    (value, output) => value + at(change, inputs * outputs + output, "change"),
  );
  weights.set(bias, { ...constant, data: moved });
}

import { at, convertData, entry, sizeOf, type Tensor, toFloat64 } from "@isthmus/core";
import type { UnitStatistics } from "../activations/unit-moments.ts";
import { scaleUnitsInPlace } from "./kernels/scale-units.ts";
import type { LinearSite, NormSite, RepairPlan, RepairSite } from "./repair-sites.ts";

/** Mean and standard deviation that a site should reach, `[units]` each. */
export interface Goal {
  /** Mean that each unit should have. */
  readonly mean: Float64Array;
  /** Standard deviation that each unit should have. */
  readonly deviation: Float64Array;
}

/**
 * Deviation, relative to mean and goal, up to which a unit
 * counts as constant, as f32 rounds by about as much.
 */
const CONSTANT = 1e-6;

/** Statistics that a site should reach, and its current ones. */
export interface Correction {
  /** Statistics that the site should reach. */
  readonly goal: Goal;
  /** Current statistics of the site, measured on examples. */
  readonly statistics: Pick<UnitStatistics, "mean" | "variance">;
}

/**
 * Corrects weights so that a site reaches its goal: gain and shift of a layer, or statistics, scale and bias
 * of a norm.
 */
export function correctSite(
  site: RepairSite,
  { goal, statistics }: Correction,
  weights: Map<string, Tensor>,
): void {
  const { mean, variance } = statistics;
  const gain = variance.map((value, unit) => {
    const deviation = Math.sqrt(value);
    const target = at(goal.deviation, unit, "unit");
    const least = CONSTANT * Math.max(Math.abs(at(mean, unit, "unit")), target);
    return deviation > least ? target / deviation : Number.NaN;
  });
  if (site.kind === "linear") correctLayer(site, { goal, mean, gain }, weights);
  else correctNorm(site, { goal, mean, variance, gain }, weights);
}

function correctLayer(
  { gain: name, shift, shape, bias }: LinearSite,
  { goal, mean, gain }: { readonly goal: Goal; readonly mean: Float64Array; readonly gain: Float64Array },
  weights: Map<string, Tensor>,
): void {
  const factors = gain.map((value) => (Number.isNaN(value) ? 1 : value));
  const shifts = factors.map((factor, unit) =>
    bias === undefined ? 0 : at(goal.mean, unit, "unit") - factor * at(mean, unit, "unit"),
  );
  weights.set(name, { dtype: "f32", shape, data: Float32Array.from(factors) });
  weights.set(shift, { dtype: "f32", shape, data: Float32Array.from(shifts) });
}

function correctNorm(
  site: NormSite,
  {
    goal,
    mean,
    variance,
    gain,
  }: Correction["statistics"] & { readonly goal: Goal; readonly gain: Float64Array },
  weights: Map<string, Tensor>,
): void {
  replace(weights, site.mean, mean);
  replace(weights, site.variance, variance);
  if (site.bias !== undefined) replace(weights, site.bias, goal.mean);
  if (site.scale === undefined) return;
  const { data, dtype } = entry(weights, site.scale, "scale");
  const scales = toFloat64(data, dtype).map((scale, unit) => {
    const factor = at(gain, unit, "unit");
    const deviation = Math.sqrt(at(variance, unit, "unit") + site.epsilon);
    return Number.isNaN(factor) ? scale : (scale < 0 ? -1 : 1) * factor * deviation;
  });
  replace(weights, site.scale, scales);
}

/** Replaces the elements of a weight; its element type stays. */
function replace(weights: Map<string, Tensor>, name: string, values: Float64Array): void {
  const old = entry(weights, name, "weight");
  weights.set(name, { ...old, data: convertData(values, "f64", old.dtype) });
}

/** Returns the weights of the extended graph: the weights of the graph, with gains of 1 and shifts of 0. */
export function extendWeights(
  { sites }: RepairPlan,
  weights: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const extended = new Map(weights);
  for (const site of sites) {
    if (site.kind !== "linear") continue;
    const units = at(site.shape, 0, "axis");
    extended.set(site.gain, { dtype: "f32", shape: site.shape, data: new Float32Array(units).fill(1) });
    extended.set(site.shift, { dtype: "f32", shape: site.shape, data: new Float32Array(units) });
  }
  return extended;
}

/**
 * Multiplies gains into the weights of their layers and adds
 * shifts to the biases; returns the weights of the graph.
 */
export function foldCorrections({ sites }: RepairPlan, extended: Map<string, Tensor>): Map<string, Tensor> {
  const weights = new Map(extended);
  for (const site of sites) {
    if (site.kind !== "linear") continue;
    const gain = entry(weights, site.gain, "gain").data as Float32Array;
    const shift = entry(weights, site.shift, "shift").data as Float32Array;
    weights.delete(site.gain);
    weights.delete(site.shift);
    scaleWeight(weights, site, gain);
    if (site.bias === undefined) continue;
    const { data, dtype } = entry(weights, site.bias, "bias");
    const biases = toFloat64(data, dtype).map(
      (value, unit) => value * at(gain, unit, "unit") + at(shift, unit, "unit"),
    );
    replace(weights, site.bias, biases);
  }
  return weights;
}

function scaleWeight(
  weights: Map<string, Tensor>,
  { weight, weightAxis }: LinearSite,
  gain: Float32Array,
): void {
  const tensor = entry(weights, weight, "weight");
  const inner = sizeOf(tensor.shape.slice(weightAxis + 1));
  const values = toFloat64(tensor.data, tensor.dtype);
  scaleUnitsInPlace(values, gain, inner);
  replace(weights, weight, values);
}

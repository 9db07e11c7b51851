import { convertData, type Tensor, toFloat64 } from "@isthmus/core";
import type { UnitStatistics } from "../activations/unit-moments.ts";
import type { LinearSite, NormSite, RepairPlan, RepairSite } from "./repair-sites.ts";

/** Mean and standard deviation that a site should have, `[units]` each. */
export interface Goal {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

/** Deviation, relative to mean and goal, up to which a unit counts as constant: rounding of f32 makes as much. */
const CONSTANT = 1e-6;

/** What a site should have and what it has. */
export interface Correction {
  readonly goal: Goal | undefined;
  readonly statistics: Pick<UnitStatistics, "mean" | "variance">;
}

/** Makes a site reach its goal: by gain and shift of a layer, or by everything that belongs to a norm. */
export function correctSite(
  site: RepairSite,
  { goal, statistics }: Correction,
  weights: Map<string, Tensor>,
): void {
  if (goal === undefined) return;
  const { mean, variance } = statistics;
  const gain = variance.map((value, unit) => {
    const deviation = Math.sqrt(value);
    const wanted = goal.deviation[unit] ?? 0;
    const least = CONSTANT * Math.max(Math.abs(mean[unit] ?? 0), wanted);
    return deviation > least ? wanted / deviation : Number.NaN;
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
    bias === undefined ? 0 : (goal.mean[unit] ?? 0) - factor * (mean[unit] ?? 0),
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
  const old = weights.get(site.scale);
  const before = old === undefined ? undefined : toFloat64(old.data, old.dtype);
  const scales = gain.map((factor, unit) => {
    const own = before?.[unit] ?? 0;
    const deviation = Math.sqrt((variance[unit] ?? 0) + site.epsilon);
    return Number.isNaN(factor) ? own : (own < 0 ? -1 : 1) * factor * deviation;
  });
  replace(weights, site.mean, mean);
  replace(weights, site.variance, variance);
  replace(weights, site.scale, scales);
  replace(weights, site.bias, goal.mean);
}

/** Replaces the elements of a weight, if there is one of that name, in its own element type. */
function replace(weights: Map<string, Tensor>, name: string, values: Float64Array): void {
  const old = weights.get(name);
  if (old === undefined) return;
  weights.set(name, { ...old, data: convertData(values, "f64", old.dtype) });
}

/** Weights of the extended graph: those of the graph, and gains and shifts that change nothing yet. */
export function extendWeights(
  { sites }: RepairPlan,
  weights: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const extended = new Map(weights);
  for (const site of sites) {
    if (site.kind !== "linear") continue;
    const units = site.shape[0] ?? 0;
    extended.set(site.gain, { dtype: "f32", shape: site.shape, data: new Float32Array(units).fill(1) });
    extended.set(site.shift, { dtype: "f32", shape: site.shape, data: new Float32Array(units) });
  }
  return extended;
}

/** Takes gains and shifts into the layers they belong to. */
export function foldCorrections({ sites }: RepairPlan, extended: Map<string, Tensor>): Map<string, Tensor> {
  const weights = new Map(extended);
  for (const site of sites) {
    if (site.kind !== "linear") continue;
    const gain = weights.get(site.gain)?.data as Float32Array;
    const shift = weights.get(site.shift)?.data as Float32Array;
    weights.delete(site.gain);
    weights.delete(site.shift);
    scaleWeight(weights, site, gain);
    const bias = weights.get(site.bias ?? "");
    if (bias === undefined) continue;
    const values = toFloat64(bias.data, bias.dtype);
    replace(
      weights,
      site.bias ?? "",
      values.map((value, unit) => value * (gain[unit] ?? 1) + (shift[unit] ?? 0)),
    );
  }
  return weights;
}

function scaleWeight(
  weights: Map<string, Tensor>,
  { weight, weightAxis }: LinearSite,
  gain: Float32Array,
): void {
  const tensor = weights.get(weight);
  if (tensor === undefined) return;
  const inner = tensor.shape.slice(weightAxis + 1).reduce((product, extent) => product * extent, 1);
  const values = toFloat64(tensor.data, tensor.dtype);
  for (let i = 0; i < values.length; i++) {
    values[i] = (values[i] ?? 0) * (gain[Math.floor(i / inner) % gain.length] ?? 1);
  }
  replace(weights, weight, values);
}

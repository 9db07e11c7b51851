import { at, entry, sizeOf, sumOf } from "@isthmus/core";
import { type DataSet, limitExamples } from "@isthmus/graph";
import { createMatrix, multiply } from "@isthmus/linear-algebra";
import { crossStatistics, type PairStatistics } from "@isthmus/statistics";
import { findViews } from "../transport/activation-costs.ts";
import type { MovedAxis, MovedWeight, UnitFamily } from "../transport/correspond.ts";
import { gatherRows } from "../transport/kernels/plan-sums.ts";
import { isPlaced, transportWeight } from "../transport/transport-weight.ts";
import { checkpointOf, type Doubles } from "./framed.ts";
import type { FoundMapsOptions } from "./map-options.ts";
import type { WidthMaps } from "./width-maps.ts";
import type { MapKind, WidthPair } from "./width-pair.ts";

/** Weights of both networks of a pair, with gains of 1. */
export interface FramedNetworks {
  /** Network of the source's graph. */
  readonly source: Doubles;
  /** Network of the target's graph. */
  readonly target: Doubles;
}

/**
 * Computes the products of the units of two networks on the same inputs, by index of the symmetry,
 * `[source units, target units]`: the mean over samples of `a_i b_j`, added up over all values that contain
 * the units and that layers read, each in the unit of both mean squares. Units that are mapped one to one
 * count by their correlation instead.
 *
 * Streams are measured behind their norms, so that tokens and layers with large activations do not decide
 * alone, and their means stay: the mean activation of a position says most about directions.
 */
export async function activationProducts(
  { source, target, correspondence: { families }, kinds }: WidthPair,
  networks: FramedNetworks & { readonly like: Parameters<typeof checkpointOf>[3] },
  data: DataSet,
  { examples, batchSize, signal, onProgress }: FoundMapsOptions,
): Promise<Map<number, Float64Array>> {
  const all = findViews(families, source, target);
  const views = all.filter(
    ({ symmetry, isRead }) => isRead || !all.some((other) => other.symmetry === symmetry && other.isRead),
  );
  const pair = [
    {
      ...source,
      network: await checkpointOf(source.graph, networks.source, "f32", networks.like),
      views: views.map((view) => view.source),
    },
    {
      ...target,
      network: await checkpointOf(target.graph, networks.target, "f32", networks.like),
      views: views.map((view) => view.target),
    },
  ] as const;
  const statistics = await crossStatistics(pair, limitExamples("match units", data, examples), {
    batchSize,
    signal,
    onProgress: ({ done }) => onProgress?.({ done }),
  });
  const products = new Map<number, Float64Array>();
  views.forEach(({ symmetry }, i) => {
    const measured = at(statistics, i, "view");
    const sum = products.get(symmetry) ?? new Float64Array(measured.covariance.length);
    addProducts(measured, at(kinds, symmetry, "symmetry"), sum);
    products.set(symmetry, sum);
  });
  return products;
}

/** Adds the products of units to their sums, each value in its own unit. */
function addProducts({ a, b, covariance }: PairStatistics, kind: MapKind, sum: Float64Array): void {
  const columns = b.mean.length;
  const isUnits = kind === "units";
  const meanSquare = ({ mean, variance }: typeof a): number =>
    sumOf(variance.map((value, i) => value + at(mean, i, "unit") ** 2)) / mean.length;
  const whole = 1 / (Math.sqrt(meanSquare(a) * meanSquare(b)) || 1);
  const [ofA, ofB] = [a.variance.map(Math.sqrt), b.variance.map(Math.sqrt)];
  for (let k = 0; k < sum.length; k++) {
    const [i, j] = [Math.floor(k / columns), k % columns];
    const covered = at(covariance, k, "product");
    const product = isUnits
      ? covered / (at(ofA, i, "unit") * at(ofB, j, "unit") || 1)
      : whole * (covered + at(a.mean, i, "unit") * at(b.mean, j, "unit"));
    sum[k] = at(sum, k, "product") + product;
  }
}

/**
 * Computes the products of the units of a symmetry by the weights of two networks, with all other axes mapped
 * to the target, `[source units, target units]`. Weights with an axis whose units have no map yet are left
 * out.
 */
export function weightProducts(
  { correspondence: { families, weights } }: WidthPair,
  { source, target }: FramedNetworks,
  maps: WidthMaps,
  symmetry: number,
): Float64Array {
  const { source: units, target: others } = at(families, symmetry, "symmetry");
  const sum = new Float64Array(units.count * others.count);
  for (const [name, weight] of weights) {
    if (weight.role !== "parameter") continue;
    for (const axis of weight.axes) {
      const groups = axis.groups.filter(({ family }) => isVoter(families, family, symmetry));
      const isReady = weight.axes.every((other) => other === axis || isPlaced(other, maps));
      if (!isReady || groups.length === 0) continue;
      const moved = transportWeight(entry(source, name, "weight"), weight, maps, axis).data;
      addGroupProducts([moved, entry(target, name, "weight")], weight, { ...axis, groups }, sum);
    }
  }
  return sum;
}

/** Adds the products of the units of both networks on an axis of a weight. */
function addGroupProducts(
  [moved, target]: readonly [Float64Array, Float64Array],
  weight: MovedWeight,
  { axis, groups }: MovedAxis,
  sum: Float64Array,
): void {
  const inner = sizeOf(weight.target.slice(axis + 1));
  const [from, to] = [at(weight.source, axis, "axis"), at(weight.target, axis, "axis")];
  for (const group of groups) {
    const left = gatherRows(moved, group.source, { extent: from, inner });
    const right = gatherRows(target, group.target, { extent: to, inner });
    const width = left.length / group.source.length;
    const { data } = multiply(
      createMatrix(group.source.length, width, left),
      createMatrix(group.target.length, width, right),
      { transposeRight: true },
    );
    for (let k = 0; k < sum.length; k++) sum[k] = at(sum, k, "product") + at(data, k, "product");
  }
}

/** Checks whether the units of a family belong to a symmetry, or follow its units one to one. */
function isVoter(families: readonly UnitFamily[], family: number | undefined, symmetry: number): boolean {
  return family !== undefined && families[family]?.voter === symmetry;
}

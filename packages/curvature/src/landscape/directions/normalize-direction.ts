import { at, entry, sizeOf } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { type AxisUse, findAxisUses } from "@isthmus/symmetry/layout";
import type { Normalization } from "../landscape-options.ts";
import type { DirectionValues } from "./direction-values.ts";

/**
 * Scales a direction in place to the size of a network: every filter, every tensor, or all of it as one (Li
 * et al. 2018, section 4). A filter is all weights that one output of a layer is computed from; in a tensor
 * of one axis, such as a bias, every entry is one. If a filter or tensor of the network is zero, so is that
 * of the direction.
 */
export function normalizeInPlace(
  direction: DirectionValues,
  weights: DirectionValues,
  { graph, normalization }: { readonly graph: Graph; readonly normalization: Normalization },
): void {
  if (normalization === "none") return;
  const uses = findAxisUses(graph);
  const groups =
    normalization === "whole" ? [[...direction.keys()]] : [...direction.keys()].map((name) => [name]);
  for (const names of groups) {
    const filtersOf = (name: string): Filters => {
      const { shape } = entry(graph.weights, name, "weight");
      return normalization === "filter" ? filtersOfTensor(shape, uses.get(name)) : { count: 1, inner: 1 };
    };
    const count = Math.max(...names.map((name) => filtersOf(name).count));
    const sums = { direction: new Float64Array(count), weights: new Float64Array(count) };
    for (const name of names) {
      addSquares(entry(direction, name, "direction"), filtersOf(name), sums.direction);
      addSquares(entry(weights, name, "weight"), filtersOf(name), sums.weights);
    }
    const factors = sums.weights.map((sum, filter) => {
      const length = at(sums.direction, filter, "filter");
      return length > 0 ? Math.sqrt(sum / length) : 0;
    });
    for (const name of names) scaleFilters(entry(direction, name, "direction"), filtersOf(name), factors);
  }
}

/**
 * Layout of the filters of a tensor: the number of filters, and the number of contiguous elements before the
 * next filter begins.
 */
interface Filters {
  readonly count: number;
  readonly inner: number;
}

function filtersOfTensor(shape: readonly number[], use: AxisUse | undefined): Filters {
  const axis = filterAxis(shape, use);
  return { count: shape.length === 0 ? 1 : at(shape, axis, "axis"), inner: sizeOf(shape.slice(axis + 1)) };
}

/** Finds the axis of a tensor that counts the outputs of its layer: the first that no layer sums over. */
function filterAxis(shape: readonly number[], use: AxisUse | undefined): number {
  const first = [...shape.keys()].findIndex(
    (axis) => at(shape, axis, "axis") > 1 && use?.kept.has(axis) && !use.contracted.has(axis),
  );
  return Math.max(0, first);
}

const filterOf = (index: number, { count, inner }: Filters): number => Math.floor(index / inner) % count;

function addSquares(values: Float64Array, filters: Filters, sums: Float64Array): void {
  for (let i = 0; i < values.length; i++) {
    const filter = filterOf(i, filters);
    sums[filter] = (sums[filter] as number) + (values[i] as number) ** 2;
  }
}

function scaleFilters(values: Float64Array, filters: Filters, factors: Float64Array): void {
  for (let i = 0; i < values.length; i++) {
    values[i] = (values[i] as number) * (factors[filterOf(i, filters)] as number);
  }
}

import { at, entry } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { Symmetries } from "../derive-spec.ts";
import type { Symmetry } from "../spec.ts";
import { layOutValues } from "../value-layouts.ts";
import { type AxisUnits, findAxisUnits, type UnitTable } from "./axis-units.ts";
import { type AxisUse, findAxisUses } from "./axis-uses.ts";
import { findUnitRoots, type UnitRoots } from "./unit-roots.ts";

/** An axis of a weight on which the units of a layer lie. */
export interface UnitSite {
  /** Name of the weight. */
  readonly tensor: string;
  /** Shape that `axis` refers to: the shape of the weight, or `[g, O/g, C/g, ...]` with `g` groups. */
  readonly view: readonly number[];
  /** Axis of the view on which the units lie. */
  readonly axis: number;
  /** Number of the unit within its layer at each position of the axis, or -1, `[positions]`. */
  readonly units: Int32Array;
}

/** A layer of hidden units that compute something by some weights and are read by others. */
export interface HiddenLayer {
  /** Name of the symmetry that permutes its units. */
  readonly name: string;
  /** Number of units, at least 2: neurons, channels, heads with all units that belong to one, and so on. */
  readonly size: number;
  /** Axes of weights and biases by which units compute. */
  readonly writes: readonly UnitSite[];
  /** Axes of weights by which other layers read the units: without them, a unit does nothing. */
  readonly reads: readonly UnitSite[];
}

/** The layers of a graph whose units can be taken out one by one, and the reasons why others cannot. */
export interface HiddenLayers {
  /** Layers in the order in which they are first read. */
  readonly layers: readonly HiddenLayer[];
  /** Reasons why a symmetry is no such layer, by its name. */
  readonly left: ReadonlyMap<string, string>;
}

/** A tensor with units on some of its axes. */
export interface TensorUnits {
  /** Shape that the axes refer to; of a weight, its view. */
  readonly shape: readonly number[];
  /** Root unit, or -1, at each position along every axis that has some units, by axis. */
  readonly axes: AxisUnits;
}

/** The units on the axes of every weight and every value of a graph. */
export interface AxisLayouts {
  /** Weights by name, with axes of their views. */
  readonly weights: ReadonlyMap<string, TensorUnits>;
  /** Values by name, weights included, in their shapes for the batch of the symmetries. */
  readonly values: ReadonlyMap<string, TensorUnits>;
  /** Symmetries that cannot be kept apart, as their units do not lie along single axes everywhere. */
  readonly tangled: ReadonlyMap<number, string>;
}

/**
 * Finds the layers of hidden units of a graph: for each, the axes of weights that write its units, and the
 * axes of weights that read them.
 *
 * They are the plain permutation symmetries whose units lie along single axes of weights, with all units that
 * are nested in a unit or follow it.
 */
export function findHiddenLayers(graph: Graph, symmetries: Symmetries): HiddenLayers {
  const { spec } = symmetries;
  const roots = findUnitRoots(spec);
  const { weights, tangled } = layOutAxes(symmetries, roots);
  const uses = findAxisUses(graph);
  const ranks = new Map([...graph.weights].map(([name, { shape }]) => [name, shape.length]));
  const left = new Map<string, string>();
  const layers: { readonly layer: HiddenLayer; readonly readAt: number }[] = [];
  for (const index of roots.plain) {
    const symmetry = at(spec.symmetries, index, "symmetry");
    const reason = tangled.get(index);
    const sites = reason === undefined ? findSites(symmetry, { weights, uses, ranks }) : reason;
    if (typeof sites === "string") left.set(symmetry.name, sites);
    else {
      const { writes, reads, readAt } = sites;
      layers.push({ layer: { name: symmetry.name, size: symmetry.size, writes, reads }, readAt });
    }
  }
  return { layers: layers.sort((a, b) => a.readAt - b.readAt).map(({ layer }) => layer), left };
}

interface Sites extends Pick<HiddenLayer, "writes" | "reads"> {
  /** Position in the graph of the first node that reads the units. */
  readonly readAt: number;
}

/** Axes of weights on which units lie, and the ways in which nodes use these axes. */
interface WeightUses {
  readonly weights: ReadonlyMap<string, TensorUnits>;
  readonly uses: ReadonlyMap<string, AxisUse>;
  /** Number of axes of each weight. */
  readonly ranks: ReadonlyMap<string, number>;
}

/** Finds the sites of a symmetry's units; returns the reason if the symmetry is no layer. */
function findSites({ firstUnit, size }: Symmetry, weightUses: WeightUses): Sites | string {
  const writes: UnitSite[] = [];
  const reads: UnitSite[] = [];
  let readAt = Number.POSITIVE_INFINITY;
  for (const site of listSites({ firstUnit, size }, weightUses.weights)) {
    const { isRead, isWritten, contractedBy } = useOf(site, weightUses);
    if (isRead && isWritten) return `"${site.tensor}" both writes and reads its units, as a tied weight does`;
    (isRead ? reads : writes).push(site);
    if (isRead) readAt = Math.min(readAt, contractedBy);
  }
  if (reads.length === 0) return "no product, convolution or recurrent layer reads its units";
  return { writes, reads, readAt };
}

/** Lists the axes of weights on which the units of a symmetry lie. */
function listSites(
  { firstUnit, size }: Pick<Symmetry, "firstUnit" | "size">,
  weights: ReadonlyMap<string, TensorUnits>,
): readonly UnitSite[] {
  const isOfSymmetry = (root: number) => root >= firstUnit && root < firstUnit + size;
  return [...weights].flatMap(([tensor, { shape: view, axes }]) =>
    [...axes].flatMap(([axis, roots]) => {
      const units = roots.map((root) => (isOfSymmetry(root) ? root - firstUnit : -1));
      return units.some((unit) => unit >= 0) ? [{ tensor, view, axis, units }] : [];
    }),
  );
}

/** Returns the way in which nodes use an axis. */
function useOf({ tensor, view, axis }: UnitSite, { uses, ranks }: WeightUses) {
  const { contracted, kept, contractedBy } = entry(uses, tensor, "weight");
  // The view of a grouped kernel splits the first axis in two.
  const place = Math.max(0, axis - (view.length - entry(ranks, tensor, "weight")));
  return { isRead: contracted.has(place), isWritten: kept.has(place), contractedBy };
}

/**
 * Lays out the units of plain symmetries, and all units nested in them, on the axes of weights and values.
 */
export function layOutAxes(symmetries: Symmetries, roots: UnitRoots): AxisLayouts {
  const reasons = new Map<number, string>();
  for (const index of roots.shared) reasons.set(index, "some units follow two symmetries at once");
  const collect = (name: string, tables: readonly UnitTable[]): AxisUnits => {
    const tangled = new Set<number>();
    const axes = findAxisUnits(tables, roots, tangled);
    for (const index of tangled) {
      if (!reasons.has(index)) reasons.set(index, `its units lie on several axes of "${name}" at once`);
    }
    return axes;
  };
  const weights = new Map<string, TensorUnits>();
  for (const [name, { view, fields }] of symmetries.spec.weights) {
    const tables = fields.map(({ axes, units }) => {
      return { axes, extents: axes.map((axis) => at(view, axis, "axis")), units };
    });
    weights.set(name, { shape: view, axes: collect(name, tables) });
  }
  const values = new Map<string, TensorUnits>();
  for (const [name, components] of layOutValues(symmetries).components) {
    const tables = components.flatMap(({ axes, extents, units }) =>
      units.map((table) => ({ axes, extents, units: table })),
    );
    const { shape } = entry(symmetries.labels.values, name, "value");
    values.set(name, { shape, axes: collect(name, tables) });
  }
  return { weights, values, tangled: reasons };
}

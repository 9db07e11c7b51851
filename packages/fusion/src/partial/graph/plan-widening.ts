import { at, entry, InvariantError } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import type { Symmetries } from "@isthmus/symmetry";
import {
  type AxisLayouts,
  findAxisUses,
  findUnitRoots,
  layOutAxes,
  type TensorUnits,
  type UnitRoots,
} from "@isthmus/symmetry/layout";
import { type AxisPlan, type MergeChoice, planAxis, type Separable } from "../layout/axis-plan.ts";
import { mixedAxes, type NodeFacts } from "./mixed-axes.ts";
import type { AxisPlans, ProbedGraph } from "./separable-graph.ts";
import { widenNode } from "./widen-node.ts";

/** The symmetries of a graph whose units can be kept apart, and the reasons for the others. */
export interface SeparableGraph extends Separable {
  /** Graph with the types of its values, and with its constants. */
  readonly probed: ProbedGraph;
  /** Units on each axis of the weights and the values. */
  readonly layouts: AxisLayouts;
  /** Reasons for which plain symmetries can only be merged as a whole, by their positions. */
  readonly reasons: ReadonlyMap<number, string>;
}

/** Plans of the axes of all weights and values. */
export interface Widening {
  /** Plans of values and weights by name; axes of weights are the axes of their shapes. */
  readonly values: AxisPlans;
  /** Plans of weights by name, with the axes of their views. */
  readonly weights: AxisPlans;
}

/**
 * Finds the plain symmetries whose units can be kept apart. Other symmetries have units that an operator,
 * such as a layer norm, combines without trained weights, or a width that is fixed in the graph and cannot be
 * changed.
 */
export function findSeparable(symmetries: Symmetries, probed: ProbedGraph): SeparableGraph {
  const { spec } = symmetries;
  const roots = findUnitRoots(spec);
  const layouts = layOutAxes(symmetries, roots);
  const reasons = new Map([...tiedReasons(probed.graph, layouts, roots), ...layouts.tangled]);
  for (;;) {
    const allowed = new Set(roots.plain.filter((index) => !reasons.has(index)));
    const separable = { spec, roots, allowed, probed, layouts, reasons };
    const obstacle = findReason(separable);
    if (obstacle === undefined) return separable;
    if ([...obstacle.symmetries].every((index) => reasons.has(index))) {
      throw new InvariantError(`no symmetry is new where ${obstacle.reason}`);
    }
    for (const index of obstacle.symmetries) reasons.set(index, obstacle.reason);
  }
}

/**
 * Finds the symmetries over whose units a weight sums along the same axis along which it computes them, such
 * as a tied embedding.
 */
function tiedReasons(graph: Graph, { values }: AxisLayouts, { symmetryOf }: UnitRoots): Map<number, string> {
  const reasons = new Map<number, string>();
  for (const [name, { contracted, kept }] of findAxisUses(graph)) {
    const tied = [...(values.get(name)?.axes ?? [])].filter(
      ([axis]) => contracted.has(axis) && kept.has(axis),
    );
    for (const index of tied.flatMap(([, units]) => [...symmetriesOn(units, symmetryOf)])) {
      reasons.set(index, `weight "${name}" both reads and computes them`);
    }
  }
  return reasons;
}

interface Obstacle {
  readonly symmetries: ReadonlySet<number>;
  readonly reason: string;
}

/** Finds the first tensor or node that does not allow the units of some symmetry to be kept apart. */
function findReason(separable: SeparableGraph): Obstacle | undefined {
  const { layouts, probed, spec, roots, allowed } = separable;
  // Half of the units are merged, so that places of all three kinds occur.
  const choice = { merged: Uint8Array.from({ length: spec.units }, (_, unit) => unit % 2) };
  const on = (units: Int32Array) =>
    new Set([...symmetriesOn(units, roots.symmetryOf)].filter((index) => allowed.has(index)));
  for (const [name, { axes }] of [...layouts.weights, ...layouts.values]) {
    for (const units of axes.values()) {
      if (planAxis(units, separable, choice) === undefined) {
        return { symmetries: on(units), reason: `they lie in "${name}" in no whole blocks` };
      }
    }
  }
  const { values } = planWidening(separable, choice);
  for (const node of probed.graph.nodes) {
    const of = (name: string, axes: readonly number[] | "all"): number[] => {
      const units = [...(layouts.values.get(name)?.axes ?? [])];
      return units.flatMap(([axis, list]) => (axes === "all" || axes.includes(axis) ? [...on(list)] : []));
    };
    const mixed = mixedAxes(factsOf(node, probed)).flatMap(({ value, axes }) => of(value, axes));
    if (mixed.length > 0) {
      return {
        symmetries: new Set(mixed),
        reason: `${describeNode(node)} combines them without trained weights`,
      };
    }
    const widened = widenNode(node, probed, values);
    if (!("refusal" in widened)) continue;
    const touched = [...node.inputs, ...node.outputs].flatMap((name) => of(name, "all"));
    return { symmetries: new Set(touched), reason: `${describeNode(node)}: ${widened.refusal}` };
  }
  return undefined;
}

const describeNode = ({ op, name }: Node): string => `${op} "${name}"`;

function factsOf(node: Node, { graph, types, data, constants }: ProbedGraph): NodeFacts {
  return {
    node,
    opset: graph.opsets.get("") ?? 1,
    rank: (value) => entry(types, value, "value").shape.length,
    isData: (value) => data.has(value),
    constant: (value) => constants.get(value),
  };
}

/** Lists the symmetries whose units lie on an axis. */
function symmetriesOn(units: Int32Array, symmetryOf: Int32Array): Set<number> {
  const symmetries = new Set<number>();
  for (const unit of units) if (unit >= 0) symmetries.add(at(symmetryOf, unit, "unit"));
  return symmetries;
}

/** Plans the axes of all weights and values for a choice of the units that are merged. */
export function planWidening(separable: SeparableGraph, choice: MergeChoice): Widening {
  const plan = (tensors: ReadonlyMap<string, TensorUnits>): AxisPlans => {
    const plans = new Map<string, ReadonlyMap<number, AxisPlan>>();
    for (const [name, { axes }] of tensors) {
      const planned = new Map<number, AxisPlan>();
      for (const [axis, units] of axes) {
        const ofAxis = planAxis(units, separable, choice);
        if (ofAxis !== undefined && ofAxis.from.length !== units.length) planned.set(axis, ofAxis);
      }
      if (planned.size > 0) plans.set(name, planned);
    }
    return plans;
  };
  return { values: plan(separable.layouts.values), weights: plan(separable.layouts.weights) };
}

/** Returns the shapes of the weights of the wide network, by name. */
export function widenedWeightShapes(
  { weights }: Graph,
  { layouts }: SeparableGraph,
  plans: AxisPlans,
): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const [name, { shape }] of weights) {
    const planned = plans.get(name);
    const view = layouts.weights.get(name)?.shape;
    if (planned === undefined || view === undefined) {
      shapes.set(name, shape);
      continue;
    }
    const wide = view.map((extent, axis) => planned.get(axis)?.from.length ?? extent);
    const [groups = 1, outputs = 1, ...rest] = wide;
    shapes.set(name, view.length === shape.length ? wide : [groups * outputs, ...rest]);
  }
  return shapes;
}

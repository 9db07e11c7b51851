import { at, entry } from "@isthmus/core";
import type { Graph, Probe } from "@isthmus/graph";
import { findAxes } from "./find-axes.ts";
import { type GraphLabels, labelGraph } from "./label-graph.ts";
import { explainFrozen } from "./read-off/explain-frozen.ts";
import type { Family } from "./read-off/families.ts";
import { layOutWeight } from "./read-off/lay-out-weights.ts";
import { nameFamilies } from "./read-off/name-symmetries.ts";
import { type NumberedUnits, numberUnits } from "./read-off/number-units.ts";
import { readOff, type SymmetryGroup } from "./read-off/read-off.ts";
import type { FollowerFamily, Symmetry, SymmetrySpec, WeightLayout } from "./spec.ts";

/**
 * A specification, and the records it was derived from, which predict how any value of the graph is permuted.
 */
export interface Derivation {
  readonly spec: SymmetrySpec;
  /** Examples in the run of the probe; the shapes of values are for this many. */
  readonly batch: number;
  readonly labels: GraphLabels;
  readonly group: SymmetryGroup;
  readonly units: NumberedUnits;
}

/**
 * Derives which indices of which weight axes may be permuted together without changing what a graph computes.
 *
 * Every index of every weight axis gets a label. The labels are carried through the graph and tied where they
 * must move together; colour refinement then finds which may still move. Synchronous, and without an engine.
 *
 * @param probe - shapes and constants of the same graph, as `probeGraph` returns them
 */
export function deriveSpec(graph: Graph, probe: Probe): Derivation {
  const labels = labelGraph(graph, probe);
  const group = readOff(labels.store);
  const units = numberUnits(labels.store, group);
  return { spec: createSpec(labels, group, units), batch: probe.batch, labels, group, units };
}

function createSpec(labels: GraphLabels, group: SymmetryGroup, units: NumberedUnits): SymmetrySpec {
  const { store } = labels;
  const { classes } = group;
  const weights = new Map<string, WeightLayout>();
  for (const [name, weight] of labels.weights) weights.set(name, layOutWeight(weight, classes, units));
  const names = nameFamilies(store, classes, units.free, units.followers);
  const plain = units.free.map((family) => describeCells(family, units));
  const followers = units.followers.map((family): FollowerFamily => {
    const { firstUnit, cells } = describeCells(family, units);
    return { firstUnit, parents: cells };
  });
  const axes = findAxes(plain, followers, weights);
  return {
    symmetries: plain.map(
      (cells, i): Symmetry => ({
        name: at(names, i, "name"),
        ...cells,
        axes: at(axes, i, "list of axes"),
      }),
    ),
    followers,
    units: units.classOf.length,
    weights,
    frozen: explainFrozen(store, labels.weights, classes, units),
    unknown: labels.unknown,
  };
}

function describeCells(
  family: Family,
  { firstUnit, unitOf }: NumberedUnits,
): Omit<Symmetry, "name" | "axes"> {
  return {
    size: family.size,
    cells: family.parents.map((parents) => Array.from(parents, (c) => at(unitOf, c, "class"))),
    firstUnit: entry(firstUnit, family, "family"),
  };
}

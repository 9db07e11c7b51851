import { at, entry } from "@isthmus/core";
import type { Graph, Probe } from "@isthmus/graph";
import { findAxes } from "./find-axes.ts";
import { type GraphLabels, labelGraph } from "./label-graph.ts";
import { LABEL_FLAGS, type LabelStore } from "./labels/label-store.ts";
import type { LabelledAxes, LabelledWeight } from "./labels/label-weight.ts";
import type { Classes } from "./read-off/classify.ts";
import { explainFrozen } from "./read-off/explain-frozen.ts";
import type { Family } from "./read-off/families.ts";
import { indexFamilies, type NumberedUnits, numberUnits } from "./read-off/number-units.ts";
import { readOff, type SymmetryGroup } from "./read-off/read-off.ts";
import type { FollowerFamily, Symmetry, SymmetrySpec, WeightField, WeightLayout } from "./spec.ts";

/**
 * A specification, and the records it was derived from, which predict the permutation of any value of the
 * graph.
 */
export interface Symmetries {
  /** Specification: the symmetries by weight axis, which is all that aligning networks needs. */
  readonly spec: SymmetrySpec;
  /** Number of examples in the run of the probe; the shapes of values are for this many. */
  readonly batch: number;
  /** Labels of every weight and value of the graph, from which the movement of any value is predicted. */
  readonly labels: GraphLabels;
  /** Classes of labels and the families in which they move, read off the labels. */
  readonly group: SymmetryGroup;
  /** Numbers of the units of the specification: the unit of each class, and the class of each unit. */
  readonly units: NumberedUnits;
  /**
   * Specification in which parts whose weights are separate tensors, such as experts, change places as well;
   * absent if the graph has no such parts, or they were not looked for. See `wholeSpec`.
   */
  readonly whole?: SymmetrySpec | undefined;
}

/**
 * Returns the specification that networks are aligned by: with parts that change places, such as experts, if
 * the graph has any.
 */
export function wholeSpec({ whole, spec }: Pick<Symmetries, "whole" | "spec">): SymmetrySpec {
  return whole ?? spec;
}

/**
 * Derives which indices of which weight axes may be permuted together without changing what a graph computes.
 *
 * Every index of every weight axis gets a label. The labels are carried through the graph and tied if they
 * must move together; colour refinement then finds the labels that may still move. Synchronous, and without
 * an engine.
 *
 * @param probe - shapes and constants of the same graph, as `probeGraph` returns them
 */
export function deriveSpec(graph: Graph, probe: Probe): Symmetries {
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

/** Lays out the units that lie in a weight. */
function layOutWeight(weight: LabelledWeight, classes: Classes, units: NumberedUnits): WeightLayout {
  const fields = weight.fields.flatMap((field) => {
    const laid = layOutField(field, classes, units);
    return laid.units.some((unit) => unit >= 0) ? [laid] : [];
  });
  return { shape: weight.info.shape, view: weight.view, role: weight.info.role, fields };
}

function layOutField(
  { axes, labels }: LabelledAxes,
  classes: Classes,
  { unitOf }: NumberedUnits,
): WeightField {
  const units = labels.map((label) => unitOf[classes.classOf[label] as number] as number);
  return { axes, units, ranks: rankMembers(units, labels, classes) };
}

/** Assigns ranks to positions with the same unit by the roles of their labels. */
function rankMembers(units: Int32Array, labels: Int32Array, { placeOf }: Classes): Int32Array {
  const ranks = new Int32Array(units.length);
  const positions = new Map<number, number[]>();
  units.forEach((unit, position) => {
    if (unit < 0) return;
    const same = positions.get(unit);
    if (same === undefined) positions.set(unit, [position]);
    else same.push(position);
  });
  if (positions.size === units.length) return ranks;
  const place = (position: number): number => placeOf[labels[position] as number] as number;
  for (const same of positions.values()) {
    same.sort((a, b) => place(a) - place(b));
    same.forEach((position, rank) => {
      ranks[position] = rank;
    });
  }
  return ranks;
}

/** Endings of weights' names that are left out of names of symmetries. */
const ENDING = /[._](weight|bias|running_mean|running_var|gamma|beta|scale|kernel)$/;

/**
 * Chooses names for families after the first weight that has them as an output axis, `layers.0` for
 * `layers.0.weight`.
 *
 * The name of a family with others nested in it ends in `.heads` if it or one of them is summed over in a
 * product of activations, and otherwise in `.groups` if the family lies in no weight itself. The name of a
 * family nested in heads ends in `.qk` if it is summed over in a product of activations, and otherwise in
 * `.vo`.
 *
 * @param free - families to name
 * @param followers - families that move with them
 */
function nameFamilies(
  store: LabelStore,
  classes: Classes,
  free: readonly Family[],
  followers: readonly Family[],
): string[] {
  const namer = new Namer(store, classes, free, followers);
  const used = new Map<string, number>();
  return free.map((family) => {
    const name = namer.describe(family);
    const count = (used.get(name) ?? 0) + 1;
    used.set(name, count);
    // A dot would not do: names of weights have numbers behind dots.
    return count === 1 ? name : `${name}#${count}`;
  });
}

class Namer {
  readonly #store: LabelStore;
  readonly #classes: Classes;
  readonly #nested = new Map<Family, Family[]>();
  readonly #followed = new Map<Family, Family[]>();
  readonly #above = new Map<Family, Family[]>();

  constructor(store: LabelStore, classes: Classes, free: readonly Family[], followers: readonly Family[]) {
    this.#store = store;
    this.#classes = classes;
    const familyOf = indexFamilies(free);
    for (const family of [...free, ...followers]) {
      const parents = Array.from(at(family.parents, 0, "cell"), (parent) => familyOf.get(parent));
      for (const above of parents.filter((parent) => parent !== undefined)) {
        append(family.size > 1 ? this.#nested : this.#followed, above, family);
        append(this.#above, family, above);
      }
    }
  }

  describe(family: Family): string {
    const nested = this.#nested.get(family) ?? [];
    const base = this.#firstWeight(family) ?? this.#firstBelow(family);
    const name = (base ?? "symmetry").replace(ENDING, "");
    if (nested.length > 0 && [family, ...nested].some((other) => this.#isPaired(other)))
      return `${name}.heads`;
    if (this.#firstWeight(family) === undefined) {
      return this.#isBelowHeads(family) ? `${name}.heads` : `${name}.groups`;
    }
    if (!this.#isBelowHeads(family)) return name;
    return `${name}.${this.#isPaired(family) ? "qk" : "vo"}`;
  }

  /** Checks whether a family is nested in a family of heads. */
  #isBelowHeads(family: Family): boolean {
    const above = this.#above.get(family) ?? [];
    return above.some((parent) =>
      [parent, ...(this.#nested.get(parent) ?? [])].some((other) => this.#isPaired(other)),
    );
  }

  /** Finds the first weight, in the graph's order, that holds a family nested in this one or following it. */
  #firstBelow(family: Family): string | undefined {
    const below = [...(this.#nested.get(family) ?? []), ...(this.#followed.get(family) ?? [])];
    for (const child of below) {
      const weight = this.#firstWeight(child) ?? this.#firstBelow(child);
      if (weight !== undefined) return weight;
    }
    return undefined;
  }

  /**
   * Finds the first weight, in the graph's order, that holds the family, preferably not on an axis that is
   * summed over.
   */
  #firstWeight(family: Family): string | undefined {
    let input: string | undefined;
    for (const label of this.#labelsOf(family)) {
      const { weight } = at(this.#store.owners, at(this.#store.owner, label, "label"), "owner");
      if (weight === undefined) continue;
      if (((this.#store.flags[label] as number) & LABEL_FLAGS.weightInput) === 0) return weight;
      input ??= weight;
    }
    return input;
  }

  #isPaired(family: Family): boolean {
    return this.#labelsOf(family).some(
      (label) => ((this.#store.flags[label] as number) & LABEL_FLAGS.paired) !== 0,
    );
  }

  /** Returns the labels of one class of the family, ascending. */
  #labelsOf({ cells }: Family): Int32Array {
    const { members, start } = this.#classes;
    const c = at(at(cells, 0, "cell"), 0, "class");
    return members.slice(start[c] as number, start[c + 1] as number).sort();
  }
}

function append(table: Map<Family, Family[]>, key: Family, family: Family): void {
  const list = table.get(key);
  if (list === undefined) table.set(key, [family]);
  else list.push(family);
}

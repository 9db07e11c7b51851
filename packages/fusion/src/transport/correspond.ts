import { at, entry, formatShape, groupBy, MismatchError, UnsupportedError } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { findSums, type Symmetries, type SymmetrySpec, type WeightLayout } from "@isthmus/symmetry";

/** The units of a family in one of two networks. */
export interface FamilySide {
  /** Number of the first unit of the family in this network; its units are numbered one after the other. */
  readonly firstUnit: number;
  /** Number of units in this network, of all cells together. */
  readonly count: number;
  /**
   * Units that are the parents of each cell of a symmetry, or of each follower; `[[]]` for a plain symmetry.
   */
  readonly parents: readonly (readonly number[])[];
}

/** A symmetry, or a family of followers, that both of two networks with different widths have. */
export interface UnitFamily {
  /** Name of the symmetry, or words for followers, for messages. */
  readonly name: string;
  /** Position among the symmetries; undefined for followers. */
  readonly symmetry: number | undefined;
  /**
   * Position of the symmetry to which the units of the family belong, or which they follow one to one;
   * undefined if they follow units of several symmetries at once.
   */
  readonly voter: number | undefined;
  /** Positions of the families of the parents, in order; empty for a plain symmetry. */
  readonly above: readonly number[];
  /** Units of the family in the source. */
  readonly source: FamilySide;
  /** Units of the family in the target. */
  readonly target: FamilySide;
}

/** Positions of an axis that hold the units of a family, in both networks, in the order of the units. */
export interface FieldGroup {
  /**
   * Position of the family; undefined for positions that may not move, of which both networks have equally
   * many.
   */
  readonly family: number | undefined;
  /** Positions in the source, `[units]`. */
  readonly source: Int32Array;
  /** Positions in the target, `[units]`. */
  readonly target: Int32Array;
}

/** An axis of a weight on which units lie. */
export interface MovedAxis {
  /** Axis of the weight's view, from 0. */
  readonly axis: number;
  /** Whether a product sums over the axis. */
  readonly isSummed: boolean;
  /** Groups of positions, which together are all positions of the axis. */
  readonly groups: readonly FieldGroup[];
}

/** A weight that both networks have, with its units. */
export interface MovedWeight {
  /** Role of the weight: whether it is trained, or measured. */
  readonly role: WeightLayout["role"];
  /** Extents of the weight's view in the source, with as many axes as in the target. */
  readonly source: readonly number[];
  /** Extents of the weight's view in the target. */
  readonly target: readonly number[];
  /** Axes on which units lie; the other axes have equal extents in both networks. */
  readonly axes: readonly MovedAxis[];
}

/** Corresponding units and weights of two architectures that differ only in widths. */
export interface Correspondence {
  /** Symmetries in the order of the specification, followed by followers. */
  readonly families: readonly UnitFamily[];
  /** Weights that both networks have, by name. */
  readonly weights: ReadonlyMap<string, MovedWeight>;
  /** Positions of the symmetries over whose units products of activations sum, as of queries and keys. */
  readonly paired: ReadonlySet<number>;
}

/** A graph with its symmetries. */
export interface SymmetricGraph {
  /** Graph of the architecture. */
  readonly graph: Graph;
  /** Symmetries that were discovered for the graph. */
  readonly symmetries: Symmetries;
}

/**
 * Finds corresponding parts of two architectures of one family: symmetries and followers by their order and
 * names, positions of weights by unit and rank.
 *
 * @throws MismatchError if the architectures differ in more than the numbers of units
 * @throws UnsupportedError if units lie where rectangular plans have no meaning; the message names the
 *   symmetry or weight
 */
export function correspond(source: SymmetricGraph, target: SymmetricGraph): Correspondence {
  const families = correspondFamilies(source.symmetries.spec, target.symmetries.spec);
  const { weights, paired } = correspondWeights([source, target], families);
  for (const index of paired) assertPaired(at(families, index, "family"));
  for (const [name, weight] of weights) {
    if (weight.axes.some(({ isSummed }) => isSummed)) assertUntied(name, source.graph, { families, weight });
  }
  return { families, weights, paired };
}

/**
 * Finds corresponding parts as {@link correspond} does, for maps that keep lengths: products of queries and
 * keys may sum over other numbers of units, and an embedding may also be the head.
 */
export function correspondByMaps(source: SymmetricGraph, target: SymmetricGraph): Correspondence {
  const families = correspondFamilies(source.symmetries.spec, target.symmetries.spec);
  return { families, ...correspondWeights([source, target], families) };
}

function correspondWeights(
  [source, target]: readonly [SymmetricGraph, SymmetricGraph],
  families: readonly UnitFamily[],
): Omit<Correspondence, "families"> {
  const { weights: sums, paired } = findSums(source.symmetries);
  const weights = new Map<string, MovedWeight>();
  const names = [...source.symmetries.spec.weights.keys()];
  assertNames(names, [...target.symmetries.spec.weights.keys()]);
  for (const name of names) {
    const [a, b] = [source, target].map(({ symmetries }) => entry(symmetries.spec.weights, name, "weight"));
    if (a === undefined || b === undefined) continue;
    weights.set(name, correspondWeight(name, [a, b], { families, summed: sums.get(name) ?? new Set() }));
  }
  return { weights, paired };
}

function fail(what: string, parameters: readonly string[] = []): never {
  throw new MismatchError(
    `Cannot match networks of other widths as their graphs must have the same symmetries, in any sizes: ${what}`,
    { parameters },
  );
}

function assertNames(a: readonly string[], b: readonly string[]): void {
  const missing = a.find((name) => !b.includes(name));
  const added = b.find((name) => !a.includes(name));
  if (missing !== undefined) fail(`"${missing}" is a weight of the first only`, [missing]);
  if (added !== undefined) fail(`"${added}" is a weight of the second only`, [added]);
}

/** Checks that both architectures have the same symmetries, in the same order. */
function assertSymmetries(a: SymmetrySpec, b: SymmetrySpec): void {
  const [names, others] = [a, b].map(({ symmetries }) => symmetries.map(({ name }) => name));
  if (names === undefined || others === undefined || names.join() === others.join()) return;
  const [missing, added] = [
    names.filter((name) => !others.includes(name)),
    others.filter((name) => !names.includes(name)),
  ];
  const listed = (list: readonly string[]) =>
    list.length > 2 ? `${list.slice(0, 2).join(", ")} and ${list.length - 2} more` : list.join(", ");
  if (missing.length > 0) fail(`only the first has ${listed(missing)}, as of another depth`, missing);
  if (added.length > 0) fail(`only the second has ${listed(added)}, as of another depth`, added);
  fail(`the first has ${names.join(", ")}; the second has ${others.join(", ")}`);
}

function correspondFamilies(a: SymmetrySpec, b: SymmetrySpec): UnitFamily[] {
  assertSymmetries(a, b);
  if (a.followers.length !== b.followers.length) {
    fail(
      `the first has ${a.followers.length} families of units that follow others, the second ${b.followers.length}, as heads of another size have with rotary embeddings`,
    );
  }
  const sidesOf = (spec: SymmetrySpec): FamilySide[] => [
    ...spec.symmetries.map(({ firstUnit, size, cells }) => ({
      firstUnit,
      count: size * cells.length,
      parents: cells,
    })),
    ...spec.followers.map(({ firstUnit, parents }) => ({ firstUnit, count: parents.length, parents })),
  ];
  const [sidesA, sidesB] = [sidesOf(a), sidesOf(b)];
  const aboveOf = (sides: readonly FamilySide[], side: FamilySide) =>
    at(side.parents, 0, "cell").map((unit) => familyOf(sides, unit));
  const families: UnitFamily[] = [];
  sidesA.forEach((source, index) => {
    const target = at(sidesB, index, "family");
    const symmetry = index < a.symmetries.length ? index : undefined;
    const above = aboveOf(sidesA, source);
    const name =
      a.symmetries[index]?.name ?? `followers of ${above.map((i) => families[i]?.name).join(" and ")}`;
    if (above.join() !== aboveOf(sidesB, target).join()) fail(`${name} are nested in others there`);
    if (symmetry !== undefined && above.length > 1) {
      throw new UnsupportedError(
        `Cannot match ${name} across widths as a symmetry must be nested in one other at most: its cells have ${above.length} parents`,
        { feature: name },
      );
    }
    const [parent, ...others] = above;
    const voter =
      symmetry ?? (others.length === 0 && parent !== undefined ? families[parent]?.voter : undefined);
    families.push({ name, symmetry, voter, above, source, target });
  });
  return families;
}

function familyOf(sides: readonly FamilySide[], unit: number): number {
  return sides.findIndex(({ firstUnit, count }) => unit >= firstUnit && unit < firstUnit + count);
}

/**
 * Checks that the number of units over which products of activations sum is equal in both networks, because
 * it changes these sums.
 */
function assertPaired({ name, source, target }: UnitFamily): void {
  const [a, b] = [source, target].map(({ count, parents }) => count / parents.length);
  if (a === b) return;
  throw new UnsupportedError(
    `Cannot fuse ${name} as products of activations sum over its units, as of queries and keys, so both networks must have as many in each head: they have ${a} and ${b}; fuse networks with other numbers of heads of one size instead`,
    { feature: name },
  );
}

/**
 * Checks that no weight with summed units is also read row by row, like a tied embedding, because the two
 * uses need different scales.
 */
function assertUntied(
  name: string,
  graph: Graph,
  { families, weight }: { readonly families: readonly UnitFamily[]; readonly weight: MovedWeight },
): void {
  const isGathered = graph.nodes.some(({ op, inputs }) => op === "Gather" && inputs[0] === name);
  const changes = weight.axes.some(({ groups }) =>
    groups.some(({ family }) => {
      const moved = family === undefined ? undefined : families[family];
      return moved !== undefined && moved.source.count !== moved.target.count;
    }),
  );
  if (!isGathered || !changes) return;
  throw new UnsupportedError(
    `Cannot fuse "${name}" as it is both an embedding and summed over: doubled units need halved weights in one and whole ones in the other; export the graph with the two untied`,
    { feature: name },
  );
}

function correspondWeight(
  name: string,
  [a, b]: readonly [WeightLayout, WeightLayout],
  { families, summed }: { readonly families: readonly UnitFamily[]; readonly summed: ReadonlySet<number> },
): MovedWeight {
  const axesOf = (layout: WeightLayout) => layout.fields.map(({ axes }) => axes.join());
  if (a.view.length !== b.view.length || axesOf(a).join(" ") !== axesOf(b).join(" ")) {
    fail(`"${name}" is ${formatShape(a.shape)} and ${formatShape(b.shape)}, with units on other axes`, [
      name,
    ]);
  }
  if (new Set(axesOf(a)).size !== a.fields.length || a.fields.some(({ axes }) => axes.length !== 1)) {
    throw new UnsupportedError(
      `Cannot match "${name}" across widths as units must lie on one axis each: those of a grouped operator lie on several`,
      { feature: name },
    );
  }
  const moved = new Set(a.fields.flatMap(({ axes }) => axes));
  a.view.forEach((extent, axis) => {
    if (moved.has(axis) || extent === b.view[axis]) return;
    fail(
      `"${name}" is ${formatShape(a.shape)} and ${formatShape(b.shape)}, and no units lie on axis ${axis}`,
      [name],
    );
  });
  const axes = a.fields.map(({ axes: [axis = 0] }, index): MovedAxis => {
    const sides = [at(a.fields, index, "field"), at(b.fields, index, "field")] as const;
    const [source, target] = [
      groupPositions(sides[0], families, "source"),
      groupPositions(sides[1], families, "target"),
    ];
    const groups = [...source].map(([key, positions]): FieldGroup => {
      const family = key === FIXED ? undefined : Number.parseInt(key, 10);
      return { family, source: positions, target: target.get(key) ?? fail(`"${name}" lacks units`, [name]) };
    });
    for (const group of groups) assertWhole(name, group, families);
    if (target.size !== source.size) fail(`"${name}" has other units in the second`, [name]);
    return { axis, isSummed: summed.has(index), groups };
  });
  return { role: a.role, source: a.view, target: b.view, axes };
}

const FIXED = "fixed";

/** Groups the positions of a field by family and rank, in the order of the units. */
function groupPositions(
  { units, ranks }: WeightLayout["fields"][number],
  families: readonly UnitFamily[],
  side: "source" | "target",
): ReadonlyMap<string, Int32Array> {
  const bounds = families.map((family) => family[side]);
  const places = Array.from(units, (unit, position) => ({ unit, position }));
  const groups = groupBy(places, ({ unit, position }) =>
    unit < 0 ? FIXED : `${familyOf(bounds, unit)}:${ranks[position]}`,
  );
  return new Map(
    [...groups].map(([key, group]) => {
      if (key !== FIXED) group.sort((x, y) => x.unit - y.unit);
      return [key, Int32Array.from(group, ({ position }) => position)];
    }),
  );
}

function assertWhole(
  name: string,
  { family, source, target }: FieldGroup,
  families: readonly UnitFamily[],
): void {
  if (family === undefined) {
    if (source.length !== target.length)
      fail(`"${name}" has other numbers of indices that may not move`, [name]);
    return;
  }
  const { name: units, ...sides } = at(families, family, "family");
  if (source.length === sides.source.count && target.length === sides.target.count) return;
  throw new UnsupportedError(
    `Cannot match "${name}" across widths as it must hold every unit of ${units}: it holds some`,
    {
      feature: name,
    },
  );
}

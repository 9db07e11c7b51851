import { at, MismatchError, sizeOf } from "@isthmus/core";
import type { Architecture } from "@isthmus/graph";
import {
  type ContinuousSymmetries,
  discoverContinuous,
  discoverSymmetries,
  leaveOutMixtures,
  type MixingSymmetries,
  type Symmetries,
} from "@isthmus/symmetry";
import { type Correspondence, correspondByMaps } from "../transport/correspond.ts";

/** An architecture with all symmetries that were discovered for it. */
export interface WidthSide extends Architecture {
  /** Symmetries by permutation. */
  readonly symmetries: Symmetries;
  /** Symmetries by scales and mixtures; of the latter, only the ones that both sides have. */
  readonly continuous: ContinuousSymmetries;
}

/**
 * Ways in which units of two networks may be mapped: "units" one to one; "cell" by a matrix with orthonormal
 * columns; "stream" by such a matrix where norms measure the length; "stream-keeping-ones" where norms take
 * the mean away, so that the vector of ones must stay one.
 */
export type MapKind = "units" | "cell" | "stream" | "stream-keeping-ones";

/** Map of the units of one symmetry. */
export interface UnitMap {
  /** Name of the symmetry, as `isthmus symmetry` lists it. */
  readonly name: string;
  /** Way in which its units were mapped. */
  readonly kind: MapKind;
  /** Number of its units in each network, over all cells. */
  readonly units: { readonly source: number; readonly target: number };
}

/** Two architectures that differ only in widths, and how their units may be mapped. */
export interface WidthPair {
  /** Architecture that is brought to the widths of the other. */
  readonly source: WidthSide;
  /** Architecture whose widths the result has. */
  readonly target: WidthSide;
  /** Corresponding units and weights of both. */
  readonly correspondence: Correspondence;
  /** Way in which the units of each symmetry may be mapped, by index. */
  readonly kinds: readonly MapKind[];
  /** Reasons why residual streams are mapped unit by unit, in sentences. */
  readonly notes: readonly string[];
}

/**
 * Discovers the symmetries of two architectures, and which units correspond.
 *
 * @throws MismatchError if the architectures differ in more than the numbers of units, such as in the number
 *   of inputs or outputs
 */
export async function openWidthPair(
  source: Architecture & { readonly symmetries?: Symmetries | undefined },
  target: Architecture & { readonly symmetries?: Symmetries | undefined },
  options: { readonly signal?: AbortSignal | undefined },
): Promise<WidthPair> {
  for (const kind of ["inputs", "outputs"] as const) {
    const [a, b] = [source.graph[kind].length, target.graph[kind].length];
    if (a === b) continue;
    throw new MismatchError(
      `Cannot map units to other widths as both graphs must have as many ${kind}: the first has ${a}, the second ${b}`,
      { parameters: [] },
    );
  }
  const sides = [await open(source, options), await open(target, options)] as const;
  const correspondence = correspondByMaps(...sides);
  const families = correspondence.families.filter(({ symmetry }) => symmetry !== undefined);
  const kinds = families.map((family): MapKind => {
    const a = kindOf(family.name, family.source.parents.length, sides[0].continuous.mixing);
    const b = kindOf(family.name, family.target.parents.length, sides[1].continuous.mixing);
    return a === b && a !== undefined ? a : "units";
  });
  const left = families
    .filter((_, index) => at(kinds, index, "symmetry") === "units")
    .map(({ name }) => name);
  const [a, b] = sides.map((side) => ({
    ...side,
    continuous: { ...side.continuous, mixing: leaveOutMixtures(side.continuous.mixing, left) },
  }));
  const { fixed } = sides[0].continuous.mixing;
  const notes = fixed.map(
    ({ symmetry, reason }) => `the stream of "${symmetry}" is mapped unit by unit, as ${reason}`,
  );
  return { source: a ?? sides[0], target: b ?? sides[1], correspondence, kinds, notes };
}

async function open(
  { symmetries, ...architecture }: Architecture & { readonly symmetries?: Symmetries | undefined },
  options: { readonly signal?: AbortSignal | undefined },
): Promise<WidthSide> {
  const permutations = symmetries ?? (await discoverSymmetries(architecture, options));
  return {
    ...architecture,
    symmetries: permutations,
    continuous: await discoverContinuous(architecture, permutations, options),
  };
}

/** Returns how a graph lets the units of all cells of a symmetry be mixed; undefined if it does not. */
function kindOf(name: string, count: number, { spaces, norms }: MixingSymmetries): MapKind | undefined {
  const cells = spaces.flatMap(({ symmetry, group }, index) => (symmetry === name ? [{ group, index }] : []));
  const [first] = cells;
  if (first === undefined || cells.length !== count) return undefined;
  if (!norms.some(({ space }) => cells.some(({ index }) => index === space))) return "cell";
  return first.group === "orthogonal-keeping-ones" ? "stream-keeping-ones" : "stream";
}

/** Lists the maps of all symmetries. */
export function unitMaps({ correspondence: { families }, kinds }: WidthPair): UnitMap[] {
  return families.flatMap(({ name, symmetry, source, target }) => {
    const kind = symmetry === undefined ? undefined : kinds[symmetry];
    return kind === undefined ? [] : [{ name, kind, units: { source: source.count, target: target.count } }];
  });
}

/** Lists the weights that turn tokens, patches or positions into a residual stream. */
export function embeddingsOf({ correspondence: { families, weights }, kinds }: WidthPair): string[] {
  return [...weights].flatMap(([name, { axes, target }]) => {
    const [written, ...others] = axes;
    if (written === undefined || written.isSummed || others.length > 0) return [];
    const isStream = written.groups.every(({ family }) => {
      const symmetry = family === undefined ? undefined : families[family]?.symmetry;
      return symmetry !== undefined && kinds[symmetry]?.startsWith("stream");
    });
    const extents = target.filter((_, axis) => axis !== written.axis);
    return isStream && sizeOf(extents) > 1 ? [name] : [];
  });
}

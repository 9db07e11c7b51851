import { matchesGlob, UsageError } from "@isthmus/core";
import type { SymmetrySpec } from "@isthmus/symmetry";

/** A selection of symmetries by their names; `*` matches any characters and `?` matches one. */
export interface SymmetrySelection {
  /** Match only symmetries of which one of these is the name. @defaultValue all */
  readonly only?: readonly string[] | undefined;
  /** Leave out symmetries of which one of these is the name. @defaultValue none */
  readonly skip?: readonly string[] | undefined;
}

/**
 * Finds the indices of the symmetries that a selection leaves out.
 * @throws TypeError if a pattern fits no symmetry, or none is left
 */
export function heldSymmetries(spec: SymmetrySpec, { only, skip }: SymmetrySelection): ReadonlySet<number> {
  const names = spec.symmetries.map(({ name }) => name);
  const chosen = only === undefined ? new Set(names.keys()) : findByPatterns("only", only, names);
  const left = skip === undefined ? new Set<number>() : findByPatterns("skip", skip, names);
  const held = new Set([...names.keys()].filter((index) => !chosen.has(index) || left.has(index)));
  if (names.length > 0 && held.size === names.length) {
    throw new UsageError(
      `Cannot match weights as only and skip must leave a symmetry to match: they leave none of ${names.length}`,
    );
  }
  return held;
}

/** Most names that an error lists. */
const LISTED = 12;

function findByPatterns(option: string, patterns: readonly string[], names: readonly string[]): Set<number> {
  const indices = new Set<number>();
  for (const pattern of patterns) {
    const fitting = [...names.entries()].flatMap(([index, name]) =>
      matchesGlob(pattern, name) ? [index] : [],
    );
    if (fitting.length === 0) {
      const more = names.length > LISTED ? `, and ${names.length - LISTED} more` : "";
      throw new UsageError(
        `Cannot match weights as every pattern of ${option} must fit the name of a symmetry: "${pattern}" fits none of ${names.slice(0, LISTED).join(", ")}${more}`,
      );
    }
    for (const index of fitting) indices.add(index);
  }
  return indices;
}

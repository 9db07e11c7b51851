import type { MixedLayout, MixingSymmetries } from "./mixing-symmetries.ts";

/** Lists the names of mixtures: of symmetries that are mixed, and of weights whose logits are shifted. */
export function namesOfMixtures({ spaces, shifts }: MixingSymmetries): string[] {
  return [...new Set([...spaces.map(({ symmetry }) => symmetry), ...shifts.map(({ weight }) => weight)])];
}

/**
 * Leaves mixtures out: the remaining ones mix no units, shift no logits and move no gains of the ones left
 * out.
 *
 * @param names - names of mixtures to leave out, as {@link namesOfMixtures} lists them
 */
export function leaveOutMixtures(mixing: MixingSymmetries, names: Iterable<string>): MixingSymmetries {
  const out = new Set(names);
  if (out.size === 0) return mixing;
  const spaces = mixing.spaces.filter(({ symmetry }) => !out.has(symmetry));
  const units = new Set(
    spaces.flatMap(({ firstUnit, size }) => Array.from({ length: size }, (_, i) => firstUnit + i)),
  );
  const indexOf = new Map(spaces.map((space, index) => [space, index]));
  const renumbered = <T extends { readonly space: number }>(of: readonly T[]): T[] =>
    of.flatMap((one): T[] => {
      const space = mixing.spaces[one.space];
      const index = space === undefined ? undefined : indexOf.get(space);
      return index === undefined ? [] : [{ ...one, space: index }];
    });
  return {
    ...mixing,
    spaces,
    weights: layoutsOf(units, mixing.weights),
    values: layoutsOf(units, mixing.values),
    norms: renumbered(mixing.norms),
    gains: renumbered(mixing.gains),
    shifts: mixing.shifts.filter(({ weight }) => !out.has(weight)),
  };
}

/** Returns layouts that keep the places of some units only. */
function layoutsOf(
  units: ReadonlySet<number>,
  layouts: ReadonlyMap<string, MixedLayout>,
): Map<string, MixedLayout> {
  const layoutsLeft = new Map<string, MixedLayout>();
  for (const [name, { view, fields }] of layouts) {
    const left = fields
      .map((field) => ({ ...field, units: field.units.map((unit) => (units.has(unit) ? unit : -1)) }))
      .filter((field) => field.units.some((unit) => unit >= 0));
    if (left.length > 0) layoutsLeft.set(name, { view, fields: left });
  }
  return layoutsLeft;
}

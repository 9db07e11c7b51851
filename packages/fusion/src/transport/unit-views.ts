import { at, entry, MismatchError } from "@isthmus/core";
import type { UnitView } from "@isthmus/statistics";
import { layOutValues, type ValueComponent } from "@isthmus/symmetry";
import { comparedValues } from "@isthmus/weight-matching";
import type { FamilySide, SymmetricGraph, UnitFamily } from "./correspond.ts";

/** A value that contains the units of a symmetry, in both networks. */
export interface ViewPair {
  /** Position of the symmetry in the specification. */
  readonly symmetry: number;
  /** Whether a layer reads the value. */
  readonly isRead: boolean;
  /** Value of the source's graph, with the axes and positions of the units. */
  readonly source: UnitView;
  /** Value of the target's graph, with the axes and positions of the units. */
  readonly target: UnitView;
}

/**
 * Finds the values that contain all units of a symmetry, each once, and nothing else that changes with the
 * width. Values correspond by their order in the graphs.
 *
 * @throws MismatchError if the graphs compute different numbers of values
 */
export function findViews(
  families: readonly UnitFamily[],
  source: SymmetricGraph,
  target: SymmetricGraph,
): ViewPair[] {
  const [values, others] = [comparedValues(source.graph, "all"), comparedValues(target.graph, "all")];
  if (values.length !== others.length) {
    throw new MismatchError(
      `Cannot compare activations of two networks as their graphs must have the same operators: the first computes ${values.length} values, the second ${others.length}`,
      { parameters: [] },
    );
  }
  const read = new Set(comparedValues(source.graph, "read"));
  const components = [source, target].map(({ symmetries }) => layOutValues(symmetries).components);
  return families.flatMap((family) =>
    values.flatMap((value, i): ViewPair[] => {
      const other = at(others, i, "value");
      const inSource = viewOf(value, components[0]?.get(value) ?? [], family.source);
      const inTarget = viewOf(other, components[1]?.get(other) ?? [], family.target);
      if (family.symmetry === undefined || inSource === undefined || inTarget === undefined) return [];
      return [{ symmetry: family.symmetry, isRead: read.has(value), source: inSource, target: inTarget }];
    }),
  );
}

function viewOf(
  value: string,
  components: readonly ValueComponent[],
  { firstUnit, count }: FamilySide,
): UnitView | undefined {
  const [component, ...others] = components;
  if (component === undefined || others.length > 0) return undefined;
  const table = component.units.find(
    (units) => units.length === count && units.every((unit) => unit >= firstUnit && unit < firstUnit + count),
  );
  if (table === undefined) return undefined;
  const positionOf = new Map([...table].map((unit, position) => [unit - firstUnit, position]));
  if (positionOf.size !== count) return undefined;
  const positions = Int32Array.from({ length: count }, (_, unit) => entry(positionOf, unit, "unit"));
  const isPlain = positions.every((position, unit) => position === unit);
  return { value, axes: component.axes, ...(isPlain ? {} : { positions }) };
}

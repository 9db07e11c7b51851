import type { Alignment } from "./alignment.ts";
import type { Derivation } from "./derive-spec.ts";
import { connect, countPositions, type Field, type Labelled, spread } from "./labels/field.ts";
import { predictImage } from "./verify/predict-image.ts";
import { predictComponent } from "./verify/predict-value.ts";

/** Axes of a value that move as one when weights are permuted, and the units that lie on them. */
export interface ValueComponent {
  /** Ascending. */
  readonly axes: readonly number[];
  /** Extents of these axes; positions are row-major over them. */
  readonly extents: readonly number[];
  /** Unit at each position, or -1; one table for each family of labels on these axes, `[positions]` each. */
  readonly units: readonly Int32Array[];
  /**
   * Where each position goes when units are permuted, `[positions]`; undefined where some would have nowhere to go. Positions
   * that hold the same value whatever the weights may be exchanged.
   */
  readonly move: (motion: Motion) => Int32Array | undefined;
}

/** How everything in a graph moves under one alignment; made by {@link ValueLayouts.motionOf}. */
export interface Motion {
  /** Where each label goes. */
  readonly image: Int32Array;
}

/** How units lie in the values that a graph computes. */
export interface ValueLayouts {
  /** Components with units, of each value that has any; values of weights and what is computed from them alone included. */
  readonly components: ReadonlyMap<string, readonly ValueComponent[]>;
  motionOf(alignment: Alignment): Motion;
}

/** Lays out the units of a specification in every value of its graph, as the derivation's labels say. */
export function layOutValues(derivation: Derivation): ValueLayouts {
  const components = new Map<string, readonly ValueComponent[]>();
  for (const [name, labelled] of derivation.labels.values) {
    const own = layOutValue(labelled, derivation);
    if (own.length > 0) components.set(name, own);
  }
  return { components, motionOf: (alignment) => ({ image: predictImage(derivation, alignment) }) };
}

function layOutValue(labelled: Labelled, derivation: Derivation): ValueComponent[] {
  const { shape } = labelled;
  return connect([labelled]).flatMap(({ axes, parts }): ValueComponent[] => {
    const fields = parts[0] ?? [];
    const units = fields.flatMap((field) => unitsOf(field, { shape, axes }, derivation));
    if (units.length === 0) return [];
    const extents = axes.map((axis) => shape[axis] ?? 1);
    return [{ axes, extents, units, move: ({ image }) => predictComponent(shape, axes, fields, image) }];
  });
}

/** Units of a field at each position over `axes`; none if it has none. */
function unitsOf(
  field: Field,
  { shape, axes }: { readonly shape: readonly number[]; readonly axes: readonly number[] },
  { group, units }: Derivation,
): Int32Array[] {
  if (field.frozen) return [];
  const own = field.data.map((label) => units.unitOf[group.classes.classOf[label] as number] as number);
  if (own.every((unit) => unit < 0)) return [];
  return countPositions(shape, axes) === own.length
    ? [own]
    : [spread({ axes: field.axes, data: own }, shape, axes)];
}

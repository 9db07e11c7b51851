import { at } from "@isthmus/core";
import type { Alignment } from "./alignment.ts";
import type { Symmetries } from "./derive-spec.ts";
import { connectFields, countPositions, type Field, type Labelled, spread } from "./labels/field.ts";
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
   * Returns the position that each position goes to when units are permuted, `[positions]`; undefined if
   * there is no place for some position. Positions that hold equal values for all weights may be exchanged.
   */
  readonly move: (motion: Motion) => Int32Array | undefined;
}

/** The movement of all labels of a graph under one alignment; made by {@link ValueLayouts.motionOf}. */
export interface Motion {
  /** Label that each label goes to. */
  readonly image: Int32Array;
}

/** The places of units in the values that a graph computes. */
export interface ValueLayouts {
  /**
   * Components with units of each value that has any, weights and values computed from weights alone
   * included.
   */
  readonly components: ReadonlyMap<string, readonly ValueComponent[]>;
  /** Returns where every label of the graph goes under an alignment. */
  motionOf(alignment: Alignment): Motion;
}

/** Lays out the units of a specification in every value of its graph, by the labels of its permutations. */
export function layOutValues(permutations: Symmetries): ValueLayouts {
  const components = new Map<string, readonly ValueComponent[]>();
  for (const [name, labelled] of permutations.labels.values) {
    const ofValue = layOutValue(labelled, permutations);
    if (ofValue.length > 0) components.set(name, ofValue);
  }
  return { components, motionOf: (alignment) => ({ image: predictImage(permutations, alignment) }) };
}

function layOutValue(labelled: Labelled, permutations: Symmetries): ValueComponent[] {
  const { shape } = labelled;
  return connectFields(labelled).flatMap(({ axes, fields }): ValueComponent[] => {
    const units = fields.flatMap((field) => unitsOf(field, { shape, axes }, permutations));
    if (units.length === 0) return [];
    const extents = axes.map((axis) => at(shape, axis, "axis"));
    return [{ axes, extents, units, move: ({ image }) => predictComponent(shape, axes, fields, image) }];
  });
}

/** Returns the units of a field at each position over `axes`, or an empty list if no unit lies on it. */
function unitsOf(
  field: Field,
  { shape, axes }: { readonly shape: readonly number[]; readonly axes: readonly number[] },
  { group, units }: Symmetries,
): Int32Array[] {
  if (field.frozen) return [];
  const onField = field.data.map((label) => units.unitOf[group.classes.classOf[label] as number] as number);
  if (onField.every((unit) => unit < 0)) return [];
  return countPositions(shape, axes) === onField.length
    ? [onField]
    : [spread({ axes: field.axes, data: onField }, shape, axes)];
}

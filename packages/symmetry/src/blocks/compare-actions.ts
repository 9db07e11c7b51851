import { at, sameShape } from "@isthmus/core";
import type { Labelled } from "../labels/field.ts";
import type { FactorLayout, RotationSpace, UnitLayout } from "../linear/linear-symmetries.ts";
import type { MixedLayout, StreamGain } from "../mixing/mixing-symmetries.ts";
import type { WeightLayout } from "../spec.ts";
import type { JointSymmetries } from "../verify/draw-changes.ts";
import { type IndexedAction, indexAction } from "./index-action.ts";
import { Renaming } from "./renaming.ts";

/** Compares what the symmetries of a graph do to its tensors, up to the names of units and variables. */
export interface ActionComparison {
  /**
   * Checks whether the symmetries do the same to two tensors. Units and variables that correspond
   * in earlier tensors must correspond here, too.
   */
  matches(a: string, b: string): boolean;
  /** Checks whether every unit and variable met so far corresponds to itself. */
  isIdentity(): boolean;
}

/** Prepares comparisons of what the symmetries of a graph do to its tensors. */
export function compareActions(symmetries: JointSymmetries): () => ActionComparison {
  const action = indexAction(symmetries);
  return () => new Comparison(symmetries, action);
}

class Comparison implements ActionComparison {
  readonly #symmetries: JointSymmetries;
  readonly #action: IndexedAction;
  /** Families of classes, by number. */
  readonly #families = new Renaming<number>();
  /** Labels within a class, by family: `role * families + family`. */
  readonly #roles = new Renaming<number>();
  /** Labels that stay where they are. */
  readonly #still = new Renaming<number>();
  readonly #scales = new Renaming<number>();
  readonly #signs = new Renaming<number>();
  readonly #rotations = new Renaming<number>();
  readonly #mixtures = new Renaming<number>();
  readonly #gains = new Renaming<string>();

  constructor(symmetries: JointSymmetries, action: IndexedAction) {
    this.#symmetries = symmetries;
    this.#action = action;
  }

  matches(a: string, b: string): boolean {
    const { permutations, linear, mixing } = this.#symmetries;
    const { shifted, gains } = this.#action;
    // Shifts are not compared: blocks with such logits are not alike.
    if (shifted.has(a) || shifted.has(b)) return false;
    const { spec, labels } = permutations;
    return (
      both(labels.values.get(a), labels.values.get(b), (x, y) => this.#labels(x, y)) &&
      both(spec.weights.get(a), spec.weights.get(b), (x, y) => this.#units(x, y)) &&
      this.#factors([linear?.scales.weights, linear?.scales.values], [a, b], this.#scales) &&
      this.#factors([linear?.signs.weights, linear?.signs.values], [a, b], this.#signs) &&
      both(linear?.rotatedValues.get(a), linear?.rotatedValues.get(b), (x, y) => this.#rotated(x, y)) &&
      both(mixing?.weights.get(a), mixing?.weights.get(b), (x, y) => this.#mixed(x, y)) &&
      both(mixing?.values.get(a), mixing?.values.get(b), (x, y) => this.#mixed(x, y)) &&
      mixing?.unpredictable.has(a) === mixing?.unpredictable.has(b) &&
      both(gains.get(a), gains.get(b), (x, y) => this.#gain(x, y))
    );
  }

  isIdentity(): boolean {
    // Roles tell which labels of a class lie in a tensor; the class alone tells where its units go.
    const numbers = [this.#families, this.#still, this.#scales, this.#signs];
    const spaces = [this.#rotations, this.#mixtures];
    return [...numbers, ...spaces].every((renaming) => renaming.isIdentity()) && this.#gains.isIdentity();
  }

  #labels(a: Labelled, b: Labelled): boolean {
    return (
      sameShape(a.shape, b.shape) &&
      sameFields(a.fields, b.fields, (x, y) => {
        if (x.frozen !== y.frozen) return false;
        return x.frozen
          ? every(x.data, y.data, (one, two) => one === two)
          : every(x.data, y.data, (one, two) => this.#label(one, two));
      })
    );
  }

  #label(a: number, b: number): boolean {
    const { classes } = this.#symmetries.permutations.group;
    const [classA, classB] = [at(classes.classOf, a, "class"), at(classes.classOf, b, "class")];
    const { familyOf, families } = this.#action;
    const [familyA, familyB] = [at(familyOf, classA, "family"), at(familyOf, classB, "family")];
    if (familyA < 0 || familyB < 0) return familyA === familyB && this.#still.match(a, b);
    const roleOf = (label: number, c: number) =>
      at(classes.placeOf, label, "place") - at(classes.start, c, "class");
    return (
      this.#class(classA, classB) &&
      this.#roles.match(
        roleOf(a, classA) * families.length + familyA,
        roleOf(b, classB) * families.length + familyB,
      )
    );
  }

  /** Matches classes that move: the same place in families of the same structure. */
  #class(a: number, b: number): boolean {
    const { familyOf, indexInFamily } = this.#action;
    return (
      indexInFamily[a] === indexInFamily[b] &&
      this.#family(at(familyOf, a, "family"), at(familyOf, b, "family"))
    );
  }

  #family(a: number, b: number): boolean {
    const earlier = this.#families.get(a);
    if (earlier !== undefined) return earlier === b;
    const { families, familyOf } = this.#action;
    const [one, two] = [families[a], families[b]];
    if (one === undefined || two === undefined || one.size !== two.size) return false;
    return (
      this.#families.match(a, b) &&
      one.cells.length === two.cells.length &&
      one.parents.length === two.parents.length &&
      one.parents.every((parents, cell) =>
        every(parents, at(two.parents, cell, "cell"), (x, y) => {
          const isFree = at(familyOf, x, "family") < 0;
          if (isFree || at(familyOf, y, "family") < 0) return x === y;
          return this.#class(x, y);
        }),
      )
    );
  }

  #units(a: WeightLayout, b: WeightLayout): boolean {
    const { classOf } = this.#symmetries.permutations.units;
    return (
      a.role === b.role &&
      sameShape(a.shape, b.shape) &&
      sameShape(a.view, b.view) &&
      sameFields(
        a.fields,
        b.fields,
        (x, y) =>
          every(x.ranks, y.ranks, (one, two) => one === two) &&
          every(x.units, y.units, (one, two) => {
            if (one < 0 || two < 0) return one === two;
            return (
              this.#class(at(classOf, one, "class"), at(classOf, two, "class")) && this.#rotatedUnit(one, two)
            );
          }),
      )
    );
  }

  #factors(
    maps: readonly (ReadonlyMap<string, FactorLayout> | undefined)[],
    [a, b]: readonly [string, string],
    variables: Renaming<number>,
  ): boolean {
    return maps.every((map) =>
      both(
        map?.get(a),
        map?.get(b),
        (x, y) =>
          (x.origin ?? 0) === (y.origin ?? 0) &&
          sameShape(x.view, y.view) &&
          sameFields(x.fields, y.fields, (one, two) =>
            every(one.variables, two.variables, (code, other) => {
              if (Math.sign(code) !== Math.sign(other)) return false;
              return code === 0 || this.#variable(Math.abs(code) - 1, Math.abs(other) - 1, variables);
            }),
          ),
      ),
    );
  }

  #rotated(a: UnitLayout, b: UnitLayout): boolean {
    return (
      sameShape(a.view, b.view) &&
      sameFields(a.fields, b.fields, ({ units }, other) =>
        every(units, other.units, (one, two) => this.#rotatedUnit(one, two)),
      )
    );
  }

  #rotatedUnit(a: number, b: number): boolean {
    const { rotationOf } = this.#action;
    return sameUnit([a, b], [rotationOf(a), rotationOf(b)], this.#rotations);
  }

  #mixed(a: MixedLayout, b: MixedLayout): boolean {
    return (
      sameShape(a.view, b.view) &&
      sameFields(
        a.fields,
        b.fields,
        (x, y) =>
          every(x.inverse, y.inverse, (one, two) => one === two) &&
          every(x.units, y.units, (one, two) => {
            const { mixtureOf } = this.#action;
            const spaces = [mixtureOf(one), mixtureOf(two)] as const;
            return (
              spaces[0]?.space.group === spaces[1]?.space.group &&
              sameUnit([one, two], spaces, this.#mixtures)
            );
          }),
      )
    );
  }

  #variable(a: number, b: number, variables: Renaming<number>): boolean {
    if (!variables.match(a, b)) return false;
    if (variables !== this.#scales) return true;
    const { gainOfScale } = this.#action;
    return both(gainOfScale.get(a), gainOfScale.get(b), (x, y) => this.#gain(x, y));
  }

  /** Matches gains that mixtures move into other weights, with the scales by which they are moved. */
  #gain(a: StreamGain, b: StreamGain): boolean {
    if (this.#gains.get(a.gain) === b.gain) return true;
    return (
      this.#gains.match(a.gain, b.gain) &&
      a.origin === b.origin &&
      a.isInverse === b.isInverse &&
      this.#space(a.space, b.space) &&
      every(a.variables, b.variables, (one, two) => this.#scales.match(one, two))
    );
  }

  #space(a: number, b: number): boolean {
    const spaces = this.#symmetries.mixing?.spaces;
    const [one, two] = [spaces?.[a], spaces?.[b]];
    return one?.size === two?.size && one?.group === two?.group && this.#mixtures.match(a, b);
  }
}

/** A space, and its number. */
interface NumberedSpace {
  readonly number: number;
  readonly space: RotationSpace;
}

/** Matches units by the spaces that they lie in; units of no space correspond to units of no space. */
function sameUnit(
  [a, b]: readonly [number, number],
  [one, two]: readonly [NumberedSpace | undefined, NumberedSpace | undefined],
  spaces: Renaming<number>,
): boolean {
  if (one === undefined || two === undefined) return one === two;
  return (
    one.space.size === two.space.size &&
    a - one.space.firstUnit === b - two.space.firstUnit &&
    spaces.match(one.number, two.number)
  );
}

/** Compares two things that may both be missing. */
function both<T>(a: T | undefined, b: T | undefined, compare: (a: T, b: T) => boolean): boolean {
  return a === undefined || b === undefined ? a === b : compare(a, b);
}

/** Compares fields on equal axes, one by one. */
function sameFields<T extends { readonly axes: readonly number[] }>(
  a: readonly T[],
  b: readonly T[],
  compare: (a: T, b: T) => boolean,
): boolean {
  return (
    a.length === b.length &&
    a.every((field, i) => {
      const other = b[i];
      return other !== undefined && sameShape(field.axes, other.axes) && compare(field, other);
    })
  );
}

function every(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  compare: (a: number, b: number) => boolean,
): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!compare(a[i] as number, b[i] as number)) return false;
  return true;
}

import type { RotationSpace } from "../linear/linear-symmetries.ts";
import type { MixingSpace, StreamGain } from "../mixing/mixing-symmetries.ts";
import type { Family } from "../read-off/families.ts";
import type { JointSymmetries } from "../verify/draw-changes.ts";

/** A space of units that a matrix mixes, and its number. */
interface Numbered<S extends RotationSpace> {
  /** Index of the space. */
  readonly number: number;
  /** The space itself. */
  readonly space: S;
}

/** Indices by which to compare the actions of symmetries on tensors. */
export interface IndexedAction {
  /** Families of classes that move. */
  readonly families: readonly Family[];
  /** Number of the family of each class, or -1. */
  readonly familyOf: Int32Array;
  /** Place of each class within its family. */
  readonly indexInFamily: Int32Array;
  /** Returns the rotated space of a unit; undefined if no rotation moves it. */
  readonly rotationOf: (unit: number) => Numbered<RotationSpace> | undefined;
  /** Returns the mixed space of a unit; undefined if no mixture moves it. */
  readonly mixtureOf: (unit: number) => Numbered<MixingSpace> | undefined;
  /** Gains that mixtures move, by the names of their weights. */
  readonly gains: ReadonlyMap<string, StreamGain>;
  /** Gain that each scale variable moves, if any does. */
  readonly gainOfScale: ReadonlyMap<number, StreamGain>;
  /** Names of all weights and values that shifts of logits change. */
  readonly shifted: ReadonlySet<string>;
}

/** Indexes symmetries by their classes, units and weights. */
export function indexAction({ permutations, linear, mixing }: JointSymmetries): IndexedAction {
  const { classes, families } = permutations.group;
  const familyOf = new Int32Array(classes.count).fill(-1);
  const indexInFamily = new Int32Array(classes.count);
  families.forEach(({ cells }, family) => {
    let index = 0;
    for (const cell of cells) {
      for (const c of cell) {
        familyOf[c] = family;
        indexInFamily[c] = index++;
      }
    }
  });
  const { shifts = [], gains = [] } = mixing ?? {};
  return {
    families,
    familyOf,
    indexInFamily,
    rotationOf: indexSpaces(linear?.rotations ?? []),
    mixtureOf: indexSpaces(mixing?.spaces ?? []),
    gains: new Map(gains.map((gain) => [gain.gain, gain])),
    gainOfScale: new Map(gains.flatMap((gain) => [...gain.variables].map((variable) => [variable, gain]))),
    shifted: new Set(
      shifts.flatMap(({ weight, bias, values }) => [
        weight,
        ...values,
        ...(bias === undefined ? [] : [bias]),
      ]),
    ),
  };
}

/** Indexes spaces by their units. */
function indexSpaces<S extends RotationSpace>(
  spaces: readonly S[],
): (unit: number) => Numbered<S> | undefined {
  const ofUnit = new Map<number, Numbered<S>>();
  spaces.forEach((space, number) => {
    const numbered = { number, space };
    for (let i = 0; i < space.size; i++) ofUnit.set(space.firstUnit + i, numbered);
  });
  return (unit) => ofUnit.get(unit);
}

import { type Checkpoint, UnsupportedError } from "@isthmus/core";
import type { Alignment } from "../alignment.ts";
import type { Symmetries } from "../derive-spec.ts";
import { LINEAR_KINDS, type LinearKind } from "../linear/factor-algebra.ts";
import type { LinearSymmetries } from "../linear/linear-symmetries.ts";
import {
  predictLinearInPlace,
  randomElement,
  TRIALS,
  transformBy,
} from "../linear/verify-linear-symmetries.ts";
import { type MixedNetwork, mixAmongGains } from "../mixing/mix-among-gains.ts";
import type { MixingSymmetries } from "../mixing/mixing-symmetries.ts";
import { permute } from "../permute.ts";
import { trialAlignments } from "./trial-alignments.ts";

/** Symmetries of a graph that are proved together. */
export interface JointSymmetries {
  /** Permutation symmetries, with the labels of the graph's values. */
  readonly permutations: Symmetries;
  /** Scales, signs and rotations. @defaultValue none */
  readonly linear?: LinearSymmetries | undefined;
  /** Kinds of `linear` that are proved. @defaultValue all */
  readonly kinds?: readonly LinearKind[] | undefined;
  /** Mixtures of units, for which `linear` is needed. @defaultValue none */
  readonly mixing?: MixingSymmetries | undefined;
}

/** A changed network, and the prediction of its values. */
export interface Change {
  /** Network whose weights were changed; lazy. */
  readonly network: Checkpoint;
  /** Alignment by which units were permuted after all other changes; undefined if they stay in place. */
  readonly alignment: Alignment | undefined;
  /** Names of values that cannot be predicted. */
  readonly unpredictable: ReadonlySet<string>;
  /**
   * Changes the elements of a value of the network into the elements that the changed network computes before
   * its units are permuted.
   */
  readonly predictInPlace: (value: string, data: Float32Array) => void;
  /** Whether units were mixed. */
  readonly isMixed: boolean;
}

/** Lists the kinds beyond permutation of which there are symmetries. */
export function kindsOf({ linear, kinds = LINEAR_KINDS }: JointSymmetries): LinearKind[] {
  if (linear === undefined) return [];
  const { scales, signs, rotations } = linear;
  const counts = { scale: scales.variables, sign: signs.variables, rotation: rotations.length };
  return kinds.filter((kind) => counts[kind] > 0);
}

/** Index of the change that mixes units: the first one scales, and negates and rotates as well. */
const MIXED = 1;

/**
 * Draws the changes by which the symmetries of a graph are tried: as many as there are alignments to try, and
 * as any kind needs. Changes beyond the alignments to try leave units in their places: permuting them once
 * more would prove nothing new, and values are compared faster place by place.
 * @returns undefined if a gain is 0, so that units cannot be mixed
 */
export async function drawChanges(
  network: Checkpoint,
  symmetries: JointSymmetries,
  seed: number,
): Promise<readonly Change[] | undefined> {
  const { linear, mixing } = symmetries;
  const isMixing = mixing !== undefined && mixing.spaces.length + mixing.shifts.length > 0;
  const mixed = isMixing && linear ? await tryToMix(network, { linear, mixing }, seed) : undefined;
  if (isMixing && mixed === undefined) return undefined;
  const alignments = [...trialAlignments(symmetries.permutations.spec, { seed, shuffles: 0 })];
  const kinds = kindsOf(symmetries);
  const trials = Math.max(alignments.length, isMixing ? MIXED + 1 : 0, ...kinds.map((kind) => TRIALS[kind]));
  return Array.from({ length: trials }, (_, trial) => {
    const drawn = { seed: seed + trial, kinds: kinds.filter((kind) => trial < TRIALS[kind]) };
    const mixes = trial === MIXED ? mixed : undefined;
    return compose(network, symmetries, { mixed: mixes, drawn, alignment: alignments[trial] });
  });
}

/** Mixes the units of a network; returns undefined if a gain is 0. */
async function tryToMix(
  network: Checkpoint,
  symmetries: { readonly linear: LinearSymmetries; readonly mixing: MixingSymmetries },
  seed: number,
): Promise<MixedNetwork | undefined> {
  try {
    return await mixAmongGains(network, symmetries, seed);
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

/** Changes a network by a mixture, then by scales, signs and rotations, then by a permutation, if any. */
function compose(
  network: Checkpoint,
  { permutations: { spec }, linear }: JointSymmetries,
  {
    mixed,
    drawn,
    alignment,
  }: {
    readonly mixed: MixedNetwork | undefined;
    readonly drawn: Parameters<typeof randomElement>[1];
    readonly alignment: Alignment | undefined;
  },
): Change {
  const first = mixed?.network ?? network;
  const element = linear && randomElement(linear, drawn);
  const transformed = linear && element ? transformBy(first, spec, linear, element) : first;
  return {
    network: alignment === undefined ? transformed : permute(alignment, transformed, spec),
    alignment,
    isMixed: mixed !== undefined,
    unpredictable: mixed?.unpredictable ?? new Set(),
    predictInPlace(value, data) {
      mixed?.predictInPlace(value, data);
      if (linear && element) predictLinearInPlace(value, data, linear, element);
    },
  };
}

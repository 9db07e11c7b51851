import { UnsupportedError } from "@isthmus/core";
import { type Architecture, withSharedSessions } from "@isthmus/graph";
import type { KnownSymmetries, MixedLayout, MixingSymmetries } from "./mixing-symmetries.ts";
import { type VerifyMixingOptions, type VerifyMixingResult, verifyMixing } from "./verify-mixing.ts";

/** A mixture that is left out, as its proof failed. */
export interface DroppedMixture {
  /** Name of the symmetry whose units may not be mixed, or of the weight whose logits may not be shifted. */
  readonly name: string;
  /** First node that computed another value than predicted, or the gain that cannot be moved. */
  readonly node: string;
  /** Finding of the proof at that node. */
  readonly reason: string;
}

/** Mixtures that were proved, and mixtures that were left out. */
export interface MixturesProof {
  /** Result for the remaining mixtures; null if none remain. */
  readonly proof: VerifyMixingResult | null;
  /** Mixtures that were left out since their proof fails; empty if all hold. */
  readonly dropped: readonly DroppedMixture[];
}

/**
 * Proves mixtures as `verifyMixing` does, and leaves out those whose proof fails, so that the others can
 * still be used: `leaveOutMixtures` returns the others by the names. All remaining mixtures were proved at
 * once.
 *
 * @throws MismatchError if the weights do not fit the graph
 * @throws EngineError if the engine cannot run the graph
 */
export async function proveMixtures(
  { graph, engine }: Architecture,
  symmetries: KnownSymmetries & { readonly mixing: MixingSymmetries },
  options: VerifyMixingOptions,
): Promise<MixturesProof> {
  const { mixing, ...known } = symmetries;
  // One session runs the graph in all trials.
  return withSharedSessions(engine, async (shared) => {
    const tryOf = (some: MixingSymmetries) =>
      tryMixtures({ graph, engine: shared }, { ...known, mixing: some }, options);
    const all = await tryOf(mixing);
    if (all.failure === undefined) return { proof: all.proof, dropped: [] };
    const names = namesOfMixtures(mixing);
    const dropped: DroppedMixture[] = [];
    for (const name of names) {
      const others = names.filter((other) => other !== name);
      const { failure } = await tryOf(leaveOutMixtures(mixing, others));
      if (failure !== undefined) dropped.push({ name, ...failure });
    }
    const left = leaveOutMixtures(
      mixing,
      dropped.map(({ name }) => name),
    );
    const { proof, failure } = await tryOf(left);
    if (failure === undefined) return { proof, dropped };
    // Each of these mixtures holds alone, but not all hold together: none is known to be right.
    const together = namesOfMixtures(left).map((name) => ({ name, ...failure }));
    return { proof: null, dropped: [...dropped, ...together] };
  });
}

/** Result of a trial: a proof, if there are mixtures to prove, or the reason why it failed. */
interface Trial {
  readonly proof: VerifyMixingResult | null;
  readonly failure: Omit<DroppedMixture, "name"> | undefined;
}

async function tryMixtures(
  architecture: Architecture,
  symmetries: KnownSymmetries & { readonly mixing: MixingSymmetries },
  options: VerifyMixingOptions,
): Promise<Trial> {
  if (namesOfMixtures(symmetries.mixing).length === 0) return { proof: null, failure: undefined };
  try {
    const proof = await verifyMixing(architecture, symmetries, options);
    return { proof, failure: proof.passed ? undefined : failureOf(proof) };
  } catch (error) {
    // A gain of 0 cannot be moved; this fixes only the streams that the gain multiplies.
    if (!(error instanceof UnsupportedError)) throw error;
    return { proof: null, failure: { node: error.feature, reason: error.message } };
  }
}

function failureOf({ firstFailure, restoredError }: VerifyMixingResult): Omit<DroppedMixture, "name"> {
  if (firstFailure !== undefined) {
    const { node, error } = firstFailure;
    return { node, reason: `${node} differs by ${error.toPrecision(2)}` };
  }
  return {
    node: "",
    reason: `an output differs by ${restoredError.toPrecision(2)} once the gains of norms are what they were`,
  };
}

/** Lists the names of mixtures: of symmetries that are mixed, and of weights whose logits are shifted. */
function namesOfMixtures({ spaces, shifts }: MixingSymmetries): string[] {
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

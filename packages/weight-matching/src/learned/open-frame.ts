import { at, type Checkpoint } from "@isthmus/core";
import {
  type DiagonalSymmetry,
  type DroppedMixture,
  discoverContinuous,
  leaveOutMixtures,
  type MixingGroup,
  proveMixtures,
  type SymmetricArchitecture,
  type SymmetrySpec,
} from "@isthmus/symmetry";
import { settledSymmetries } from "./closed-form/head-families.ts";
import type { MatchLearnedOptions } from "./match-learned-options.ts";
import { createStreamFrame, type StreamFrame } from "./stream-frame.ts";
import {
  countPlaces,
  type MovableUnits,
  movesAlone,
  rowsOfUnits,
  type UnitRows,
  variablesAt,
} from "./unit-rows.ts";

/** A frame, and the mixtures that it leaves out. */
interface OpenedFrame {
  readonly frame: StreamFrame;
  readonly dropped: readonly DroppedMixture[];
}

/**
 * Discovers which spaces may be mixed, proves their mixtures on all networks, and prepares the frame in
 * which spaces are mixed. Mixtures that do not hold, such as of a stream whose norm has a gain of 0, are left
 * out, with a note.
 */
export async function openFrame(
  { graph, engine, symmetries }: SymmetricArchitecture,
  networks: readonly Checkpoint[],
  options: Pick<MatchLearnedOptions, "heads" | "units" | "seed" | "signal" | "onNote">,
): Promise<OpenedFrame> {
  const { heads, units, seed, signal, onNote } = options;
  const { linear, exchanges, ...rest } = await discoverContinuous({ graph, engine }, symmetries, { signal });
  const dropped: DroppedMixture[] = [];
  let { mixing } = rest;
  for (const weights of networks) {
    const group = { permutations: symmetries, linear, mixing };
    const proof = await proveMixtures({ graph, engine }, group, { seed, weights, signal });
    dropped.push(...proof.dropped);
    mixing = leaveOutMixtures(
      mixing,
      proof.dropped.map(({ name }) => name),
    );
  }
  for (const { name, reason } of dropped) onNote?.(`${name} is not mixed, as that does not hold: ${reason}`);
  const spaces = mixing.spaces.map((space) =>
    heads === "orthogonal" ? { ...space, group: lengthKeeping(space.group) } : space,
  );
  const frame = createStreamFrame(graph, { linear, exchanges, mixing: { ...mixing, spaces } });
  const movable = units === "fixed" ? [] : findMovableUnits(symmetries.spec, frame);
  return { frame: { ...frame, movable }, dropped };
}

/** Returns the matrices of a group that keep lengths. */
function lengthKeeping(group: MixingGroup): MixingGroup {
  if (group === "invertible") return "orthogonal";
  return group === "complex" ? "unit-complex" : group;
}

/**
 * Finds the symmetries whose units may be permuted again while spaces are learned: plain ones that are
 * neither mixed nor carry mixed cells, such as the hidden units of an MLP.
 */
export function findMovableUnits(spec: SymmetrySpec, frame: StreamFrame): MovableUnits[] {
  const settled = settledSymmetries(spec, frame);
  const isAlone = movesAlone(spec);
  const { signs, scales } = frame.units;
  const [signsOf, scalesOf] = [variablesOf(signs), variablesOf(scales)];
  return spec.symmetries.flatMap((symmetry): MovableUnits[] => {
    if (settled.has(symmetry.name) || !isAlone(symmetry)) return [];
    const rows = rowsOfUnits(spec, symmetry);
    const [ofSigns, ofScales] = [signsOf(rows), scalesOf(rows)];
    if (ofSigns === undefined || ofScales === undefined) return [];
    return [{ symmetry, rows, signs: ofSigns, scales: ofScales }];
  });
}

/** Creates a function that lists the variables of units; undefined if other units have some of them, too. */
function variablesOf(
  symmetry: DiagonalSymmetry,
): (rows: readonly UnitRows[]) => readonly Int32Array[] | undefined {
  const places = countPlaces(symmetry);
  return (rows) => {
    const lists = new Map<string, { readonly variables: Int32Array; count: number }>();
    for (const row of rows) {
      const variables = variablesAt(symmetry, row);
      if (variables === undefined) continue;
      const list = lists.get(variables.join()) ?? { variables, count: 0 };
      list.count++;
      lists.set(variables.join(), list);
    }
    const areOwn = [...lists.values()].every(({ variables, count }) =>
      variables.every((variable) => at(places, variable, "variable") === count),
    );
    return areOwn ? [...lists.values()].map(({ variables }) => variables) : undefined;
  };
}

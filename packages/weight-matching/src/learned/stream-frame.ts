import { at, type Checkpoint, entry, toFloat64 } from "@isthmus/core";
import { bindWeights, type Graph } from "@isthmus/graph";
import {
  type ContinuousSymmetries,
  type Mixture,
  meanShifts,
  mixInPlace,
  moveGainsInPlace,
  type Occurrence,
  occurrencesOf,
  readGains,
  type ShiftAmount,
  type SymmetricArchitecture,
  shiftLogitsInPlace,
} from "@isthmus/symmetry";
import { type UnitSymmetries, unitSymmetries } from "./unit-factors.ts";
import type { MovableUnits } from "./unit-rows.ts";

/** Numbers of the parameters of a network, by name. */
export type Doubles = Map<string, Float64Array>;

/**
 * The frame in which spaces may be mixed: networks whose norms have gains of 1, as their gains are moved into
 * the weights that read the norms, and whose logits have no common shift if only their differences matter.
 */
export interface StreamFrame {
  /** Linear and mixing symmetries of the graph that the frame serves. */
  readonly symmetries: ContinuousSymmetries;
  /** Signs and scales beside the spaces. */
  readonly units: UnitSymmetries;
  /** Units that are permuted again while spaces are learned; none if permutations stay. */
  readonly movable: readonly MovableUnits[];
  /** Occurrences of the spaces in each weight that some space lies in. */
  readonly occurrences: ReadonlyMap<string, readonly Occurrence[]>;
  /** Reads a network into the frame, in f64. */
  enter(network: Checkpoint): Promise<Doubles>;
  /** Gives a network in the frame the gains and shifts that another network has outside of it. */
  leaveInPlace(network: Doubles, outside: Outside): void;
  /** Returns the gains and shifts that a network has outside of the frame. */
  outsideOf(network: Checkpoint): Promise<Outside>;
}

/** Gains and shifts that networks have only outside of the frame. */
export interface Outside {
  /** The gains of norms, which are 1 in the frame. */
  readonly gains: ReadonlyMap<string, Float64Array>;
  /** Means over the logits of layers whose logits may be shifted alike, which are 0 in the frame. */
  readonly shifts: readonly ShiftAmount[];
}

/** Two networks in the frame, of which B is brought to A. */
export interface FramedPair {
  /** Graph, engine and permutation symmetries of both networks. */
  readonly architecture: SymmetricArchitecture;
  /** Frame that both networks are in. */
  readonly frame: StreamFrame;
  /** Weights of A in the frame, f64 by name. */
  readonly a: Doubles;
  /** Weights of B in the frame, f64 by name. */
  readonly b: Doubles;
}

/** Networks in the frame, of which the others are brought to the first, the reference. */
export interface FramedNetworks extends Pick<FramedPair, "architecture" | "frame"> {
  /** Weights of each network in the frame, f64 by name; the reference is the first. */
  readonly networks: readonly Doubles[];
}

/** Returns the reference, as A, and another network, as B. */
export function pairOf({ architecture, frame, networks }: FramedNetworks, index: number): FramedPair {
  return { architecture, frame, a: at(networks, 0, "reference"), b: at(networks, index, "network") };
}

/** Prepares the frame for the networks of a graph. */
export function createStreamFrame(graph: Graph, symmetries: ContinuousSymmetries): StreamFrame {
  const { linear, mixing } = symmetries;
  const occurrences = new Map(
    [...mixing.weights].map(([name, layout]) => [name, occurrencesOf(layout, mixing.spaces)]),
  );
  const read = async (network: Checkpoint): Promise<Doubles> =>
    new Map(
      [...(await bindWeights(graph, network))].map(([name, { data, dtype }]) => [
        name,
        toFloat64(data, dtype),
      ]),
    );
  return {
    symmetries,
    units: unitSymmetries(linear, mixing),
    movable: [],
    occurrences,
    async enter(network) {
      const values = await read(network);
      moveGainsInPlace(values, linear.scales, mixing, new Map());
      shiftLogitsInPlace(values, mixing.shifts, meanShifts(values, mixing.shifts), -1);
      return values;
    },
    leaveInPlace(network, { gains, shifts }) {
      moveGainsInPlace(network, linear.scales, mixing, gains);
      // Of all shifts, the ones to the other network's means lead closest to it.
      shiftLogitsInPlace(network, mixing.shifts, shifts);
    },
    async outsideOf(network) {
      const values = await read(network);
      return { gains: readGains(values, mixing), shifts: meanShifts(values, mixing.shifts) };
    },
  };
}

/** Mixes a network of the frame: changed weights are copies, the other weights are shared. */
export function mixed(
  frame: StreamFrame,
  network: ReadonlyMap<string, Float64Array>,
  mixture: Mixture,
): Doubles {
  const result = new Map(network);
  for (const [name, occurrences] of frame.occurrences) {
    const values = entry(network, name, "weight").slice();
    mixInPlace(values, occurrences, mixture);
    result.set(name, values);
  }
  return result;
}

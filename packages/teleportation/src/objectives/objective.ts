import type { Checkpoint } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import type { QuantizedBits, QuantizeScheme } from "@isthmus/sparsity";
import type { Doubles, Element } from "../element.ts";
import type { Orbit } from "../orbit.ts";
import type { Pairing } from "../pull-back.ts";

/** Whether a teleport lowers its objective or raises it. */
export const DIRECTIONS = ["lower", "raise"] as const;

/** One of {@link DIRECTIONS}. */
export type Direction = (typeof DIRECTIONS)[number];

/** Place on an orbit: an element, and the weights to which it moves the base. */
export interface Place {
  /** Element that moves the base. */
  readonly element: Element;
  /** Weights of the moved network. */
  readonly weights: Doubles;
}

/** Value of an objective at a place, with what its derivatives follow from. */
export interface Slope {
  /** Value of the objective, of one batch if slopes are sampled. */
  readonly value: number;
  /** Pairings whose derivatives by the algebra of the group sum up to the derivatives of the objective. */
  readonly pairings: readonly Pairing[];
}

/** An objective of one network, opened. */
export interface OpenedObjective {
  /** Measures the objective; places are compared by this number. */
  readonly measure: (place: Place) => Promise<number>;
  /**
   * Whether slopes are taken on one batch after another, so that their values do not tell which place is
   * best, and the last one is taken. @defaultValue false
   */
  readonly isSampled?: boolean;
  /** Measures the objective, about, with its derivatives. */
  readonly slope: (place: Place) => Promise<Slope>;
  /** Frees the memory of the engine. */
  readonly release: () => Promise<void>;
}

/** Inputs of an objective. */
export interface ObjectiveInputs {
  /** Graph and engine of the network. */
  readonly architecture: Architecture;
  /** The network as it was given. */
  readonly network: Checkpoint;
  /** Orbit of the network. */
  readonly orbit: Orbit;
  /** Examples; undefined if none were named. */
  readonly data: DataSet | undefined;
  /** Options of the measurement. */
  readonly options: ObjectiveOptions;
}

/** Options that decide what objectives measure. */
export interface ObjectiveOptions {
  /** Seed of random vectors. */
  readonly seed: number;
  /** Number of examples, the first ones; 0 for all. */
  readonly examples: number;
  /** Number of examples in one engine call. */
  readonly batchSize: number;
  /** Bits of a quantised weight. */
  readonly bits: QuantizedBits;
  /** Weights that share a scale. */
  readonly scheme: QuantizeScheme;
  /** Returns the number of the only batch that losses are measured on, from 0; undefined for all. */
  readonly batchOf?: (() => number) | undefined;
  /** Signal that stops the work between two batches. */
  readonly signal: AbortSignal | undefined;
}

/** An objective of teleports, as one entry of their table. */
export interface ObjectiveKind {
  /** Name of what is measured, in a few words. */
  readonly subject: string;
  /** End of the explanation for help, behind the subject. @defaultValue nothing more */
  readonly details?: string;
  /** Direction in which it is moved unless options say otherwise. */
  readonly direction: Direction;
  /** Whether it is a property of weights alone, or needs examples. */
  readonly needsData: boolean;
  /** Opens the objective for a network. */
  readonly open: (inputs: ObjectiveInputs) => Promise<OpenedObjective>;
}

import type { Checkpoint, FieldsOf, ResolvedOf } from "@isthmus/core";
import type { Architecture, DataSet, Graph } from "@isthmus/graph";

/** One of several networks, unchanged or changed, such as aligned. */
export interface PairNetwork {
  /** Weights of the network, under the names of the graph. */
  readonly network: Checkpoint;
  /** Fingerprint of its weights, by which the journal keeps measurements. */
  readonly fingerprint: string;
}

/** Positions of the two networks of a pair, the smaller first. */
export type NetworkPair = readonly [a: number, b: number];

/** Options by their names. */
type AnyOptions = Readonly<Record<string, unknown>>;

/** Pairs of networks to be measured. */
export interface PairsOfNetworks<O extends object = AnyOptions> {
  /** Architecture of the networks, whose tensors have its names. */
  readonly graph: Graph;
  /** Networks to which the positions of pairs refer. */
  readonly networks: readonly PairNetwork[];
  /** Pairs to measure. */
  readonly pairs: readonly NetworkPair[];
  /** Options that pairs are measured with. */
  readonly options: O;
}

/** Controls of the measuring of pairs: stopping and progress. */
export interface PairsControl {
  /** Signal that stops the measuring; undefined if it cannot be stopped. */
  readonly signal: AbortSignal | undefined;
  /** Called with the share of the work that is done, in `[0, 1]`. */
  readonly onProgress: (done: number) => void;
  /** Called once for each pair, with its position in the list and with the measured numbers. */
  readonly onPair: (pair: number, numbers: readonly number[]) => Promise<void>;
}

/**
 * A port: measures pairs of networks somewhere, in any order. Its numbers must equal the ones that the
 * measurement itself finds.
 */
export type MeasurePairs<O extends object = AnyOptions> = (
  pairs: PairsOfNetworks<O>,
  control: PairsControl,
) => Promise<void>;

/** Networks whose pairs are measured, opened with their architecture and examples. */
export interface PairsSubject extends Architecture {
  /** Examples to measure on. */
  readonly data: DataSet;
  /** Examples on which statistics of norms are measured; undefined if the measurement chooses them. */
  readonly statisticsData: DataSet | undefined;
  /** Networks to which the positions of pairs refer, under the names of the graph. */
  readonly networks: readonly Checkpoint[];
}

/**
 * Way in which a measurement of several networks measures two of them. No pair depends on another, so that
 * workers of a queue can measure them: their tasks, which are named by the kind and `-pairs`, are made of
 * this.
 */
export interface PairsMeasurement<O extends object> {
  /** Options that pairs are measured with, each once. */
  readonly options: FieldsOf<O>;
  /** Note for the help of the command: which part workers measure, and which part they do not. */
  readonly note: string;
  /** Counts the networks that are evaluated for a pair; the count decides how many pairs make a task. */
  evaluations(options: ResolvedOf<O>): number;
  /** Measures pairs, and returns the numbers of each. */
  run(
    subject: PairsSubject,
    pairs: readonly NetworkPair[],
    options: ResolvedOf<O>,
    control: Pick<PairsControl, "signal" | "onProgress">,
  ): Promise<readonly (readonly number[])[]>;
}

/** Way in which any measurement measures pairs. */
export type AnyPairsMeasurement = PairsMeasurement<AnyOptions>;

import type { Checkpoint, FieldsOf, ResolvedOf } from "@isthmus/core";
import type { Architecture, DataSet, Graph } from "@isthmus/graph";

/** A network of several, as it is or changed, such as aligned. */
export interface PairNetwork {
  readonly network: Checkpoint;
  /** Identifies its weights, which the journal keeps measurements under. */
  readonly fingerprint: string;
}

/** Positions of the two networks of a pair, the smaller first. */
export type NetworkPair = readonly [a: number, b: number];

/** Options by their names. */
type AnyOptions = Readonly<Record<string, unknown>>;

/** Pairs of networks to be measured. */
export interface PairsOfNetworks<O extends object = AnyOptions> {
  /** Their architecture, whose names the networks have. */
  readonly graph: Graph;
  readonly networks: readonly PairNetwork[];
  readonly pairs: readonly NetworkPair[];
  /** Options that pairs are measured with. */
  readonly options: O;
}

/** How the measuring of pairs is stopped, and where it reports. */
export interface PairsControl {
  readonly signal: AbortSignal | undefined;
  /** Is called with the share of the work that is done, in `[0, 1]`. */
  readonly onProgress: (done: number) => void;
  /** Is called once for each pair, with its position in the list and with what was measured. */
  readonly onPair: (pair: number, numbers: readonly number[]) => Promise<void>;
}

/**
 * A port: measures pairs of networks somewhere, in any order. What is measured must be what the measurement
 * itself finds.
 */
export type MeasurePairs<O extends object = AnyOptions> = (
  pairs: PairsOfNetworks<O>,
  control: PairsControl,
) => Promise<void>;

/** Networks whose pairs are measured, opened by whoever measures them. */
export interface PairsSubject extends Architecture {
  readonly data: DataSet;
  readonly statisticsData: DataSet | undefined;
  readonly networks: readonly Checkpoint[];
}

/**
 * How a measurement of several networks measures two of them. No pair depends on another, so that workers of
 * a queue can measure them: their tasks, which are named by the kind and `-pairs`, are made of this.
 */
export interface PairsMeasurement<O extends object> {
  /** Options that pairs are measured with, each once. */
  readonly options: FieldsOf<O>;
  /** Says what is measured elsewhere and what is not, for the help of the command. */
  readonly note: string;
  /** Counts the networks that are evaluated for a pair, by which pairs are gathered to tasks. */
  evaluations(options: ResolvedOf<O>): number;
  /** Measures pairs, and returns the numbers of each. */
  run(
    subject: PairsSubject,
    pairs: readonly NetworkPair[],
    options: ResolvedOf<O>,
    control: Pick<PairsControl, "signal" | "onProgress">,
  ): Promise<readonly (readonly number[])[]>;
}

/** How any measurement measures pairs. */
export type AnyPairsMeasurement = PairsMeasurement<AnyOptions>;

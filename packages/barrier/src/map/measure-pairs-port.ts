import type { Checkpoint } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { NormPolicy } from "@isthmus/statistics";

/** A network of a map, as it is or aligned. */
export interface PairNetwork {
  readonly network: Checkpoint;
  /** Identifies its weights, which the journal keeps measurements under. */
  readonly fingerprint: string;
}

/** Pairs of networks to be measured. */
export interface PairsOfNetworks {
  /** Their architecture, whose names the networks have. */
  readonly graph: Graph;
  readonly networks: readonly PairNetwork[];
  /** Positions of the two networks of each pair, the smaller first. */
  readonly pairs: readonly (readonly [a: number, b: number])[];
  readonly options: {
    readonly points: number;
    readonly statistics: NormPolicy;
    readonly batchSize: number;
  };
}

/** How the measuring of pairs is stopped, and where it reports. */
export interface PairsControl {
  readonly signal: AbortSignal | undefined;
  /** Is called with the share of the work that is done, in `[0, 1]`. */
  readonly onProgress: (done: number) => void;
  /**
   * Is called once for each pair, with its position in the list and with what was measured: the distance,
   * then the losses, then the errors at the places between the networks.
   */
  readonly onPair: (pair: number, numbers: readonly number[]) => Promise<void>;
}

/**
 * A port: measures pairs of networks somewhere, in any order. What is measured must be what `measurePairs`
 * returns.
 */
export type MeasurePairs = (pairs: PairsOfNetworks, control: PairsControl) => Promise<void>;

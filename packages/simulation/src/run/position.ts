import type { Checkpoint } from "@isthmus/core";
import type { FederationState, PrivacyState } from "@isthmus/federated";
import type { ClientBarrier, RoundResult } from "../result/federation-run.ts";

/** What one client keeps from round to round. */
export interface ClientState {
  /** Tensors that it does not share, by name; all of its network where clients begin apart. */
  readonly personal?: Checkpoint;
  /** Its control variate. */
  readonly variate?: Checkpoint;
}

/** Where a federation is between two rounds. */
export interface Position {
  readonly state: FederationState;
  /** The global network. */
  readonly network: Checkpoint;
  /** State of the rule and of the server's optimiser. */
  readonly serverState: Checkpoint | undefined;
  /** What a private federation carries; missing before its first round, and where nothing is private. */
  readonly privacy?: PrivacyState | undefined;
  /** The server's control variate. */
  readonly variate: Checkpoint | undefined;
  /** By name of the client; missing for a client that keeps nothing yet. */
  readonly clients: ReadonlyMap<string, ClientState>;
  readonly rounds: readonly RoundResult[];
  readonly barriers: readonly ClientBarrier[];
}

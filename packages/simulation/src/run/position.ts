import type { Checkpoint } from "@isthmus/core";
import type { FederationState, PrivacyState } from "@isthmus/federated";
import type { ClientBarrier, RoundResult } from "../result/federation-run.ts";

/** State that one client keeps from round to round. */
export interface ClientState {
  /** Tensors that the client does not share, by name. */
  readonly personal?: Checkpoint;
  /** Control variate of the client. */
  readonly variate?: Checkpoint;
}

/** Position of a federation between two rounds: all of its state. */
export interface Position {
  /** State of the server's state machine: present clients, updates of the current round, status. */
  readonly state: FederationState;
  /** The global network. */
  readonly network: Checkpoint;
  /** State of the rule and of the server's optimiser. */
  readonly serverState: Checkpoint | undefined;
  /** Privacy state; missing before the first round, and if the federation is not private. */
  readonly privacy?: PrivacyState | undefined;
  /** The server's control variate. */
  readonly variate: Checkpoint | undefined;
  /** States of the clients by name; missing for a client that keeps nothing yet. */
  readonly clients: ReadonlyMap<string, ClientState>;
  /** Results of the rounds so far, in their order. */
  readonly rounds: readonly RoundResult[];
  /** Barriers between networks of clients that were measured so far. */
  readonly barriers: readonly ClientBarrier[];
}

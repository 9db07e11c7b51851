import type { DataSet, Engine, Graph } from "@isthmus/graph";
import type { ClientRequirements } from "./assert-required.ts";
import type { FederationApi } from "./federation-api.ts";
import type { FederationAbout } from "./parse-about.ts";

/** Choices of a client for its training, in place of the server's suggestions. */
export interface ClientTraining {
  /** Number of times that each example is seen in a round. @defaultValue the server's suggestion */
  readonly epochs?: number | undefined;
  /** Number of examples in a step. @defaultValue the server's suggestion, or else the default of `train` */
  readonly batch?: number | undefined;
  /** Optimiser; SGD has the momentum that the server suggests. @defaultValue the server's suggestion */
  readonly optimizer?: "sgd" | "adam" | "adamw" | undefined;
  /**
   * Learning rate, constant in a round.
   * @defaultValue the server's suggestion for its optimiser, else the usual rate of the optimiser
   */
  readonly learningRate?: number | undefined;
}

/** Event in the work of a client. */
export type ClientEvent =
  | { readonly kind: "joined"; readonly federation: string; readonly client: string; readonly rounds: number }
  | { readonly kind: "waiting"; readonly reason: string }
  | { readonly kind: "training"; readonly round: number; readonly done: number }
  | { readonly kind: "sent"; readonly round: number; readonly loss: number }
  /** A step of a secure sum was done. */
  | { readonly kind: "secure"; readonly round: number; readonly step: "keys" | "shares" | "reveal" }
  /**
   * Elements of an update were outside of the range of a secure sum, and were cut to it; `elements` is their
   * number.
   */
  | { readonly kind: "cut"; readonly round: number; readonly elements: number; readonly range: number }
  | { readonly kind: "refused"; readonly round: number; readonly reason: string }
  | { readonly kind: "lost"; readonly reason: string };

/** A client at work. */
export interface WorkingClient {
  /** Requests to the server. */
  readonly api: FederationApi;
  /** Description of the federation by its server. */
  readonly about: FederationAbout;
  /** Protections that the client insists on. */
  readonly requirements: ClientRequirements;
  /** Graph of the network, which ends in the federation's loss. */
  readonly graph: Graph;
  /** Engine that trains and evaluates. */
  readonly engine: Engine;
  /** Examples of the client, which never leave this machine. */
  readonly data: DataSet;
  /** Folder for downloaded networks, updates, and layers that the client keeps to itself. */
  readonly folder: string;
  /** Choices for training in place of the server's suggestions. */
  readonly training: ClientTraining;
  /** Seed of the order of examples, from which each round derives its own. */
  readonly seed: number;
  /** Signal that stops the client. */
  readonly signal: AbortSignal;
  /** Reports an event; does nothing if nobody listens. */
  readonly tell: (event: ClientEvent) => void;
}

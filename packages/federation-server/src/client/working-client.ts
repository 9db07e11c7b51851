import type { DataSet, Engine, Graph } from "@isthmus/graph";
import type { ClientRequirements } from "./assert-required.ts";
import type { FederationApi } from "./federation-api.ts";
import type { FederationAbout } from "./parse-about.ts";

/** Choices of a client for its training, in place of the server's suggestions. */
export interface ClientTraining {
  readonly epochs?: number | undefined;
  readonly batch?: number | undefined;
  readonly optimizer?: "sgd" | "adam" | "adamw" | undefined;
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
  readonly api: FederationApi;
  readonly about: FederationAbout;
  readonly requirements: ClientRequirements;
  readonly graph: Graph;
  readonly engine: Engine;
  readonly data: DataSet;
  readonly folder: string;
  readonly training: ClientTraining;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly tell: (event: ClientEvent) => void;
}

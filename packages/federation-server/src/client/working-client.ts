import type { MessageStage } from "@isthmus/federated";
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
  | {
      /** Tag of the event that the server has accepted the token. */
      readonly kind: "joined";
      /** Name of the federation. */
      readonly federation: string;
      /** Name of the client, by its token. */
      readonly client: string;
      /** Number of rounds of the federation. */
      readonly rounds: number;
    }
  | {
      /** Tag of the event that there is nothing to do for now. */
      readonly kind: "waiting";
      /** Reason for waiting, for people. */
      readonly reason: string;
    }
  | {
      /** Tag of the event that a training goes on. */
      readonly kind: "training";
      /** Number of the round, from 1. */
      readonly round: number;
      /** Share of the training that is done, in `[0, 1]`. */
      readonly done: number;
    }
  | {
      /** Tag of the event that an update counts. */
      readonly kind: "sent";
      /** Number of the round, from 1. */
      readonly round: number;
      /** Mean loss of the round's network on the client's examples, before training. */
      readonly loss: number;
    }
  /** A step of a secure sum was done. */
  | {
      /** Tag of the event that a step of a secure sum was done. */
      readonly kind: "secure";
      /** Number of the round, from 1. */
      readonly round: number;
      /** Kind of the message that was sent. */
      readonly step: MessageStage;
    }
  /**
   * Elements of an update were outside of the range of a secure sum, and were cut to it; `elements` is their
   * number.
   */
  | {
      /** Tag of the event that elements were cut to the range of a secure sum. */
      readonly kind: "cut";
      /** Number of the round, from 1. */
      readonly round: number;
      /** Number of elements that were cut. */
      readonly elements: number;
      /** Largest absolute value of an element in the sum. */
      readonly range: number;
    }
  | {
      /** Tag of the event that the server refused an update or a message. */
      readonly kind: "refused";
      /** Number of the round, from 1. */
      readonly round: number;
      /** Reason of the refusal, for people. */
      readonly reason: string;
    }
  | {
      /** Tag of the event that the server did not answer; it is asked again. */
      readonly kind: "lost";
      /** Reason why there is no answer, for people. */
      readonly reason: string;
      /** Seconds for which the client goes on asking. */
      readonly secondsLeft: number;
    };

/** Keys by which clients know each other, whatever their server says. */
export interface ClientTrust {
  /** Private key of this client in PEM, Ed25519. */
  readonly identity: string;
  /** Public keys of the other clients in PEM, by name; undefined if the roster of the server is taken. */
  readonly peers: ReadonlyMap<string, string> | undefined;
}

/** A client at work. */
export interface WorkingClient {
  /** Requests to the server. */
  readonly api: FederationApi;
  /** Description of the federation by its server. */
  readonly about: FederationAbout;
  /** How clients know each other without the server; undefined if they do not. */
  readonly trust: ClientTrust | undefined;
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

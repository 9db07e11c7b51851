import type { FederationPlan, StrategyDescription } from "@isthmus/federated";
import type { NamedLoss } from "@isthmus/graph";

/** What the server suggests to clients about their work in a round; a client may do otherwise. */
export interface TrainingAdvice {
  /** Times each example is seen in a round. */
  readonly epochs: number;
  /** Examples in a step; `null` for as many as the client's program takes. */
  readonly batch: number | null;
  readonly optimizer: "sgd" | "adam" | "adamw";
  /** Learning rate; `null` for the usual one of the optimiser. */
  readonly learningRate: number | null;
  /** Momentum of sgd. */
  readonly momentum: number;
}

/** How far an update may go from the network that it began with. */
export type NormLimit = number | "auto" | "none";

/** What a server takes from a client. */
export interface ServerLimits {
  /** Largest number of bytes of an update; `null` for as many as the network has and some for its header. */
  readonly bytes: number | null;
  /**
   * Largest norm of an update's change; `auto` for a multiple of the norm of the network that it began with,
   * see `refusalOfChange`, and `none` for any that f32 holds.
   */
  readonly norm: NormLimit;
  /** Largest number of examples that a client may claim. */
  readonly examples: number;
  /** Requests that a client, or an address without a token, may make in a minute. */
  readonly requestsPerMinute: number;
  /** Seconds that one request may take until all of it is there; a client goes on in another. */
  readonly requestSeconds: number;
  /** Seconds without a request after which a client counts as gone. */
  readonly presenceSeconds: number;
  /** Connections at once. */
  readonly connections: number;
}

/** Everything that a federation's file says, complete, with absolute paths. */
export interface FederationConfig {
  readonly name: string;
  /** Path of the network that the federation begins with. */
  readonly network: string;
  /** Path of its graph, for clients that need one and for evaluation; `null` for none. */
  readonly graph: string | null;
  readonly plan: FederationPlan;
  /** What is done with updates. */
  readonly strategy: StrategyDescription;
  readonly training: TrainingAdvice;
  /**
   * The loss that clients minimise and networks are evaluated by. @defaultValue the one that the graph names,
   * else the one that follows from the data
   */
  readonly loss?: NamedLoss;
  /** Name of the examples that every global network is evaluated on; `null` for none. */
  readonly evaluate: string | null;
  /** Number of these examples on which layers between two clients are measured in each round; 0 for none. */
  readonly layerBarriers: number;
  /**
   * Seed of the noise of a private federation, for studies that must repeat; `null` for a secret that is
   * drawn once and stays in the folder, as whoever knows the seed can subtract the noise.
   */
  readonly noiseSeed: number | null;
  readonly limits: ServerLimits;
  readonly host: string;
  /** Port, 0 for any that is free. */
  readonly port: number;
  /** Paths of key and certificate, in PEM; `null` for plain HTTP. */
  readonly tls: { readonly key: string; readonly cert: string } | null;
  /** Folder for journal, networks and updates. */
  readonly folder: string;
  /** File of the clients' tokens. */
  readonly tokens: string;
  /** Whether everyone may look at the live page and the metrics, or only who has a token. */
  readonly public: boolean;
}

import type { FederationPlan, StrategyDescription } from "@isthmus/federated";
import type { NamedLoss } from "@isthmus/graph";

/** Suggestions of the server for the training of clients in a round; a client may choose otherwise. */
export interface TrainingAdvice {
  /** Number of times that each example is seen in a round. */
  readonly epochs: number;
  /** Number of examples in a step; `null` for the default of the client's program. */
  readonly batch: number | null;
  /** Optimiser of the client's training. */
  readonly optimizer: "sgd" | "adam" | "adamw";
  /** Learning rate; `null` for the usual rate of the optimiser. */
  readonly learningRate: number | null;
  /** Momentum of sgd. */
  readonly momentum: number;
  /**
   * Weight of the proximal term `proximal / 2 |w - w_round|²`, by which clients stay near the network of the
   * round; 0 for none. `strategy: fedprox` sets it to 0.1. @defaultValue 0
   */
  readonly proximal?: number;
}

/** Limit on the norm of an update's change from the network that it began with. */
export type NormLimit = number | "auto" | "none";

/** Limits of a server on updates and requests of clients. */
export interface ServerLimits {
  /**
   * Largest number of bytes of an update; `null` for the number of bytes of the network and some for the
   * header.
   */
  readonly bytes: number | null;
  /**
   * Largest norm of an update's change; `auto` for a multiple of the norm of the network that it began with,
   * see `refusalOfChange`, and `none` for any norm that f32 can hold.
   */
  readonly norm: NormLimit;
  /** Largest number of examples that a client may claim. */
  readonly examples: number;
  /**
   * Largest rank of an update's adapters, if `adapters` of the strategy states their scale; `null` for the
   * rank of the network.
   */
  readonly rank: number | null;
  /** Number of requests that a client, or an address without a token, may make in a minute. */
  readonly requestsPerMinute: number;
  /**
   * Seconds that one request may take until it has arrived completely; a client continues in another request.
   */
  readonly requestSeconds: number;
  /** Seconds without a request after which a client counts as gone. */
  readonly presenceSeconds: number;
  /** Largest number of connections at once. */
  readonly connections: number;
}

/** Configuration of a federation from its file, complete and with absolute paths. */
export interface FederationConfig {
  /** Name of the federation, for people, up to 200 characters. */
  readonly name: string;
  /** Path of the network that the federation begins with. */
  readonly network: string;
  /** Path of the network's graph, for clients that need one and for evaluation; `null` for none. */
  readonly graph: string | null;
  /** Rules of the rounds: quorum, deadline, choice of clients, secure sum. */
  readonly plan: FederationPlan;
  /** Strategy by which updates are aggregated. */
  readonly strategy: StrategyDescription;
  /** Suggestions for the training of clients. */
  readonly training: TrainingAdvice;
  /**
   * The loss that clients minimise and networks are evaluated by. @defaultValue the loss that the graph
   * names, else the loss that follows from the data
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
  /** Limits on updates and requests of clients. */
  readonly limits: ServerLimits;
  /** Address that the server listens at, such as `127.0.0.1` for this machine alone. */
  readonly host: string;
  /** Port; 0 for any free port. */
  readonly port: number;
  /** Paths of key and certificate, in PEM; `null` for plain HTTP. */
  readonly tls: { readonly key: string; readonly cert: string } | null;
  /** Folder for journal, networks and updates. */
  readonly folder: string;
  /** File of the clients' tokens. */
  readonly tokens: string;
  /** Whether everyone may look at the live page and the metrics, or only clients with a token. */
  readonly public: boolean;
}

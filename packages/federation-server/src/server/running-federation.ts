import type { FederationEvent, FederationState, Seed } from "@isthmus/federated";
import type { FederationConfig } from "../config/federation-config.ts";
import type { Store } from "../store/store.ts";
import type { Workers } from "../work/workers.ts";
import type { Clock } from "./clock.ts";
import type { Signal } from "./events.ts";

/** What a server says of what it does; pino's loggers are of this form. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** An event before the keeper of the journal gives it a time. */
export type UntimedEvent = FederationEvent extends infer E
  ? E extends FederationEvent
    ? Omit<E, "at">
    : never
  : never;

/** A federation that runs: the state machine, with a journal behind it. */
export interface Federation {
  readonly config: FederationConfig;
  readonly store: Store;
  readonly state: FederationState;
  readonly workers: Workers;
  /** Bytes of the network. */
  readonly networkBytes: number;
  /** Names of the tensors that clients keep to themselves. */
  readonly keptTensors: readonly string[];
  /** Names of the tensors that are averaged past the rule, such as running statistics. */
  readonly averagedTensors: readonly string[];
  /** What a private round's noise is drawn from; `null` where the server adds none. */
  readonly noiseSeed: Seed | null;
  /** Number of elements of an update that is summed securely. */
  readonly secureElements: number;
  /** Aborted when the server is closing, after which nothing happens. */
  readonly ended: AbortSignal;
  /** The time in milliseconds by which deadlines are kept, not before that of any event. */
  readonly now: Clock;
  /** Told after every change of the state. */
  readonly changed: Signal;
  /**
   * Lets an event happen if it changes anything, and waits until it is in the journal; returns whether it
   * did.
   */
  happen(event: UntimedEvent): Promise<boolean>;
  /** Notes that a request of a client began; the function returned notes that it ended. */
  attend(client: string): () => void;
  /** Ends everything; what was not journaled will be done again by the next server. */
  close(): Promise<void>;
}

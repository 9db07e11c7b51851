import type { FederationEvent, FederationState, Seed } from "@isthmus/federated";
import type { FederationConfig } from "../config/federation-config.ts";
import type { Stamps } from "../store/stamps.ts";
import type { Store } from "../store/store.ts";
import type { Workers } from "../work/workers.ts";
import type { Clock } from "./clock.ts";
import type { Signal } from "./events.ts";

/** Log of a server; pino's loggers have this form. */
export interface Log {
  /** Writes a line about something usual. */
  info(fields: object, message: string): void;
  /** Writes a line about something that an owner should look at. */
  warn(fields: object, message: string): void;
  /** Writes a line about a failure. */
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
  /** Configuration of the federation, complete. */
  readonly config: FederationConfig;
  /** Paths of the federation's files. */
  readonly store: Store;
  /** Current state, another object after every change. */
  readonly state: FederationState;
  /** Stamps of the updates whose bytes this server checked. */
  readonly stamps: Stamps;
  /** Workers for tasks that take long. */
  readonly workers: Workers;
  /** Number of bytes of the network. */
  readonly networkBytes: number;
  /** Number of bytes by which an update may be larger than the network, as its adapters have larger ranks. */
  readonly rankBytes: number;
  /** Whether clients send both factors of adapters. */
  readonly hasAdapters: boolean;
  /** Names of the tensors that clients keep to themselves. */
  readonly keptTensors: readonly string[];
  /** Names of the tensors that are averaged past the rule, such as running statistics. */
  readonly averagedTensors: readonly string[];
  /** Names of the running variances that clients send, which must not be negative. */
  readonly sharedVariances: readonly string[];
  /**
   * Random text that distinguishes this federation from all others, so that a client takes nothing from one
   * into another.
   */
  readonly identity: string;
  /** Path of the graph whose weights are the tensors of the network; `null` if the file names no graph. */
  readonly graph: string | null;
  /** Seed of the noise of private rounds; `null` if the server adds none. */
  readonly noiseSeed: Seed | null;
  /** Number of elements of an update that is summed securely. */
  readonly secureElements: number;
  /** Signal that is aborted when the server is closing; no event happens afterwards. */
  readonly ended: AbortSignal;
  /** Clock of the deadlines, in milliseconds, which is never behind the time of an event. */
  readonly now: Clock;
  /** Signal that calls its listeners after every change of the state, and if the disk is full or has room. */
  readonly changed: Signal;
  /**
   * Parts that wait until the disk of the folder has room: the journal, or the step of the round; empty while
   * there is room.
   */
  readonly waitsForRoom: Set<"journal" | "step">;
  /**
   * Applies an event if it changes the state, and waits until it is in the journal; returns whether it
   * changed the state.
   */
  happen(event: UntimedEvent): Promise<boolean>;
  /** Notes that a request of a client began; the function returned notes that it ended. */
  attend(client: string): () => void;
  /** Stops the federation; work that was not journaled is done again by the next server. */
  close(): Promise<void>;
}

import type { PrivacyReport } from "../aggregate/private-round.ts";
import type { ClientMessage } from "../secure/messages.ts";
import type { MessageStage } from "../secure/secure-server.ts";
import type { SecureSettings } from "../secure/secure-settings.ts";

/** Fields of all events. */
interface Happened {
  /**
   * Time of the event, in milliseconds of the clock of the server that keeps the journal. Times grow
   * strictly along a journal, so that an event no later than the state is recognised as a replay; see
   * `timeOfNext`.
   */
  readonly at: number;
}

/** Numbers that a client or the server measured, by name, such as `accuracy`; all finite. */
export type Metrics = Readonly<Record<string, number>>;

/** Report of a private round that JSON can hold: its bound, its noise and the privacy loss so far. */
export interface PrivacyRecord extends Omit<PrivacyReport, "epsilon"> {
  /** Epsilon that all rounds up to this one have spent, in nats; `null` for infinity, without noise. */
  readonly epsilon: number | null;
}

/** An update that was received whole, and passed every check. */
export interface ReceivedUpdate {
  /** Name of the client. */
  readonly client: string;
  /** Round whose network the client began with, from 1. */
  readonly round: number;
  /** Hash of the bytes of its network, by which the server finds them. */
  readonly hash: string;
  /** Number of examples that the client trained on, at least 1. */
  readonly examples: number;
  /** Mean loss of the round's network on the client's examples, before its work. */
  readonly loss?: number | undefined;
  /** Further numbers that the client measured. */
  readonly metrics?: Metrics | undefined;
}

/** Something that happened in a federation, one line of its journal. */
export type FederationEvent = Happened &
  (
    | {
        /** Tag of the event that a client joined. */
        readonly kind: "client-joined";
        /** Name of the client that joined, or joined again. */
        readonly client: string;
      }
    | {
        /** Tag of the event that a client left. */
        readonly kind: "client-left";
        /** Name of the client that left. */
        readonly client: string;
        /**
         * Seconds for which nothing was heard of the client, which may be training; missing if it said that
         * it leaves.
         */
        readonly silentSeconds?: number | undefined;
      }
    | {
        /** Tag of the event that a round begins to collect updates. */
        readonly kind: "round-started";
        /** Number of the round, from 1. */
        readonly round: number;
        /** Number of this start of the round, from 1. */
        readonly attempt: number;
        /** Names of the clients that are asked, sorted. */
        readonly clients: readonly string[];
        /** Number of updates that the round closes with, without waiting for more. */
        readonly target: number;
      }
    | {
        /** Further clients were asked, in place of some that left. */
        readonly kind: "clients-asked";
        /** Number of the open round, from 1. */
        readonly round: number;
        /** Number of the start of the open round, from 1. */
        readonly attempt: number;
        /** Names of the further clients, sorted. */
        readonly clients: readonly string[];
      }
    | ({
        /** Tag of the event that an update passed every check. */
        readonly kind: "update-received";
      } & ReceivedUpdate)
    | {
        /** Tag of the event that an update was refused; it counts for nothing. */
        readonly kind: "update-refused";
        /** Name of the client that sent the update. */
        readonly client: string;
        /** Number of the round that the update was for, from 1. */
        readonly round: number;
        /** Reason of the refusal, for people. */
        readonly reason: string;
        /** Number of refusals that the event represents. @defaultValue 1 */
        readonly times?: number | undefined;
      }
    | {
        /** The secure sum of a round begins, and collects keys. */
        readonly kind: "secure-opened";
        /** Number of the open round, from 1. */
        readonly round: number;
        /** Number of the start of the open round, from 1. */
        readonly attempt: number;
        /** Settings of the sum: session, clients, threshold, range. */
        readonly settings: SecureSettings;
      }
    | {
        /**
         * A client's message of the secure sum was received; masked updates have the event `update-
         * received`.
         */
        readonly kind: "secure-received";
        /** Number of the open round, from 1. */
        readonly round: number;
        /** Number of the start of the open round, from 1. */
        readonly attempt: number;
        /** The client's message: keys, shares, or revealed shares. */
        readonly message: Exclude<
          ClientMessage,
          {
            /** Tag of masked updates, whose words are a file. */
            readonly kind: "masked";
          }
        >;
      }
    | {
        /** No more messages of a stage are taken; the stage of masked updates ends with `round-closed`. */
        readonly kind: "secure-closed";
        /** Number of the open round, from 1. */
        readonly round: number;
        /** Number of the start of the open round, from 1. */
        readonly attempt: number;
        /** Stage that ends; the next one begins. */
        readonly stage: MessageStage;
      }
    | { /** Tag of the event that time went on with nothing else to record. */ readonly kind: "time-passed" }
    | {
        /** Tag of the event that the updates of a round are aggregated next. */
        readonly kind: "round-closed";
        /** Number of the closed round, from 1. */
        readonly round: number;
      }
    | {
        /** Tag of the event that a start of a round was given up; the round is started again. */
        readonly kind: "round-aborted";
        /** Number of the round, from 1. */
        readonly round: number;
        /** Number of the start that was given up, from 1. */
        readonly attempt: number;
        /** Reason why it was given up, for people. */
        readonly reason: string;
      }
    | {
        /** Tag of the event that a round has a new global network. */
        readonly kind: "round-aggregated";
        /** Number of the round, from 1. */
        readonly round: number;
        /** Hash of the new global network. */
        readonly hash: string;
        /**
         * Hash of the state that rule and optimiser carry into the next aggregation, `null` if they carry
         * none; missing in journals of earlier versions, and if the server that keeps the journal has no
         * such file.
         */
        readonly state?: string | null | undefined;
        /** Numbers that the server measured on the new network; absent if it measured none. */
        readonly metrics?: Metrics | undefined;
        /** Warning about the new network; missing if nothing is wrong with it. */
        readonly warning?: string | undefined;
        /** Report of a private round. */
        readonly privacy?: PrivacyRecord | undefined;
      }
    | {
        /**
         * The updates of a round made no usable network: the global network stays, and the next round
         * follows.
         */
        readonly kind: "round-failed";
        /** Number of the failed round, from 1. */
        readonly round: number;
        /** Reason why the updates made no usable network, for people. */
        readonly reason: string;
        /** Report of a private round, which spends privacy although it failed. */
        readonly privacy?: PrivacyRecord | undefined;
      }
    | {
        /**
         * A round by Poisson sampling had no updates: the global network stays, which is no failure, and the
         * next round comes.
         */
        readonly kind: "round-empty";
        /** Number of the empty round, from 1. */
        readonly round: number;
        /** Report of a private round, which spends privacy although it was empty. */
        readonly privacy?: PrivacyRecord | undefined;
      }
    /** The federation ends before its last round without having failed, as its privacy budget is spent. */
    | {
        /** Tag of the event that the federation ended early without having failed. */
        readonly kind: "stopped";
        /** Description of the spent privacy budget, for people. */
        readonly reason: string;
      }
    | {
        /** Tag of the event that the federation was given up. */
        readonly kind: "failed";
        /** Reason why it was given up, for people. */
        readonly reason: string;
      }
  );

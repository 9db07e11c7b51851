import type { SecureServerState } from "../secure/secure-server.ts";
import type { Metrics, PrivacyRecord, ReceivedUpdate } from "./federation-event.ts";
import type { FederationPlan } from "./federation-plan.ts";

/** State of one client. */
export interface MemberState {
  /** Whether the client is present. */
  readonly present: boolean;
  /** Last round for which an update of the client counted, 0 before the first. */
  readonly sent: number;
}

/** The round that is open, or closed and not yet aggregated. */
export interface OpenRound {
  /** Number of the round, from 1. */
  readonly round: number;
  /** Number of this start of the round, from 1. */
  readonly attempt: number;
  /** Time of this start, in milliseconds. */
  readonly startedAt: number;
  /** Names of the clients that were asked, sorted. */
  readonly clients: readonly string[];
  /** Number of updates with which the round closes. */
  readonly target: number;
}

/** A secure sum in progress. */
export interface OpenSecureSum {
  /** Time at which its current stage began, in milliseconds. */
  readonly stageAt: number;
  /** State of the server in the sum: its stage and the messages so far. */
  readonly sum: SecureServerState;
}

/** Record of a round that was aggregated, failed or was empty. */
export interface RoundRecord {
  /** Number of the round, from 1. */
  readonly round: number;
  /** Number of times that the round was started. */
  readonly attempts: number;
  /** Time of its last start, in milliseconds. */
  readonly startedAt: number;
  /** Time at which the round ended, in milliseconds. */
  readonly finishedAt: number;
  /** Names of the clients that were asked, sorted. */
  readonly clients: readonly string[];
  /** Updates that were aggregated, without success if the round failed, in the order of names. */
  readonly updates: readonly ReceivedUpdate[];
  /** Hash of the global network after the round: the network before, if the round failed or was empty. */
  readonly hash: string;
  /**
   * Hash of the state for the next aggregation, `null` if there is none; missing if the event has no such
   * hash.
   */
  readonly state?: string | null | undefined;
  /** Numbers that the server measured on that network. */
  readonly metrics: Metrics;
  /** Warning about that network; missing if nothing is wrong with it. */
  readonly warning?: string | undefined;
  /** Reason why the round failed; missing if it did not. */
  readonly failed?: string | undefined;
  /** True if the round had no updates, so that the network stayed; missing otherwise. */
  readonly empty?: true | undefined;
  /** Report of a private round; missing if the round was not private. */
  readonly privacy?: PrivacyRecord | undefined;
}

/** An update that was refused, and why. */
export interface RefusedUpdate {
  /** Name of the client that sent the update. */
  readonly client: string;
  /** Number of the round that the update was for, from 1. */
  readonly round: number;
  /** Reason of the refusal, for people, cut to `REASON_CHARACTERS`. */
  readonly reason: string;
  /** Time of the refusal, in milliseconds. */
  readonly at: number;
}

/** Phase of a federation. */
export type FederationPhase =
  /**
   * The next round is about to start; `reason` says why the last start or the last round failed, if it did.
   */
  | {
      /** Tag of the phase before a round starts. */
      readonly status: "waiting";
      /** Null, as no round is open. */
      readonly open: null;
      /** Reason why the last start or the last round failed; `null` if it did not. */
      readonly reason: string | null;
    }
  /** The updates of the open round come in, or are being aggregated. */
  | {
      /** Tag of the phase: updates come in, or are being aggregated. */
      readonly status: "collecting" | "aggregating";
      /** Round whose updates come in, or are being aggregated. */
      readonly open: OpenRound;
      /** Reason why the start or the round before failed; `null` if it did not. */
      readonly reason: string | null;
    }
  /** All rounds are over; `reason` says why the last round failed, if it did. */
  | {
      /** Tag of the phase after the last round. */
      readonly status: "finished";
      /** Null, as no round is open. */
      readonly open: null;
      /** Reason why the last round failed; `null` if it did not. */
      readonly reason: string | null;
    }
  /** The federation was given up. */
  | {
      /** Tag of the phase after a federation was given up. */
      readonly status: "failed";
      /** Null, as no round is open. */
      readonly open: null;
      /** Reason why the federation was given up. */
      readonly reason: string;
    };

/** State of a federation, as plain data: the sum of the events of its journal. */
export type FederationState = FederationFacts & FederationPhase;

/** Facts of a federation that are present in all phases. */
export interface FederationFacts {
  /** Time of the last event, in milliseconds; `-1` before the first. */
  readonly at: number;
  /** Hash of the network that the federation began with. */
  readonly initial: string;
  /** Hash of the global network. */
  readonly network: string;
  /** Clients by name. */
  readonly members: Readonly<Record<string, MemberState>>;
  /** The secure sum of the round that is open or being aggregated; `null` before it is set up. */
  readonly secure: OpenSecureSum | null;
  /** Number of starts of the round that is next or open. */
  readonly attempts: number;
  /** Updates that count in the round that is open or comes next, in the order of names. */
  readonly updates: readonly ReceivedUpdate[];
  /**
   * Updates that arrived while a round was being aggregated, and count in the next round, in the order of
   * names.
   */
  readonly held: readonly ReceivedUpdate[];
  /** Rounds that were aggregated, failed or were empty, in order. */
  readonly history: readonly RoundRecord[];
  /** The last {@link REFUSALS_REMEMBERED} refused updates, in order. */
  readonly refused: readonly RefusedUpdate[];
  /** Number of all refused updates. */
  readonly refusals: number;
  /**
   * Reason why the federation ended before its last round without having failed, its spent privacy budget;
   * `null` otherwise.
   */
  readonly stopped: string | null;
}

/** Number of refused updates that a state remembers with their reasons. */
export const REFUSALS_REMEMBERED = 200;

/**
 * Number of characters that are kept of the reason of a refusal, as a hostile client may choose a part of it.
 */
export const REASON_CHARACTERS = 600;

/**
 * Returns the state of a federation before its first event.
 * @param network - hash of the network that it begins with
 */
export function beginFederation(network: string): FederationState {
  return {
    status: "waiting",
    at: -1,
    initial: network,
    network,
    members: {},
    open: null,
    secure: null,
    attempts: 0,
    updates: [],
    held: [],
    history: [],
    refused: [],
    refusals: 0,
    reason: null,
    stopped: null,
  };
}

/** Returns the number of the round that is open or comes next, from 1. */
export function roundOf(state: FederationState): number {
  return state.history.length + 1;
}

/**
 * Returns the hash of the network that clients of a round began with, or `undefined` if that network does not
 * exist yet.
 */
export function networkOfRound(state: FederationState, round: number): string | undefined {
  if (round === 1) return state.initial;
  return state.history[round - 2]?.hash;
}

/** Returns the rounds that were aggregated into a network, in order. */
export function aggregatedRounds({ history }: FederationState): readonly RoundRecord[] {
  return history.filter(({ failed, empty }) => failed === undefined && empty !== true);
}

/** Counts the rounds at the end of the history that failed one after another. */
export function countFailures({ history }: FederationState): number {
  return history.length - 1 - history.findLastIndex(({ failed }) => failed === undefined);
}

/**
 * Returns the number of failed rounds in a row at which the federation fails, at most the number of its
 * rounds.
 */
export function mostFailures({ failures, rounds }: FederationPlan): number {
  return Math.min(failures, rounds);
}

/**
 * Returns the time of an event that happens now: later than all events before, even if the clock stood still.
 */
export function timeOfNext(state: FederationState, now: number): number {
  return Math.max(now, state.at + 1);
}

/** Returns the names of the clients that are present, sorted by code units. */
export function presentClients(state: FederationState): readonly string[] {
  return Object.keys(state.members)
    .filter((name) => state.members[name]?.present)
    .sort();
}

/**
 * Counts the updates that satisfy the quorum. Late updates do not count, unless the federation is
 * asynchronous.
 */
export function countUpdates(plan: FederationPlan, state: FederationState): number {
  if (plan.buffer !== null) return state.updates.length;
  const round = roundOf(state);
  return state.updates.filter((update) => update.round === round).length;
}

/** Returns the state of a client; undefined if it has not joined. */
export function memberOf(state: FederationState, client: string): MemberState | undefined {
  return Object.hasOwn(state.members, client) ? state.members[client] : undefined;
}

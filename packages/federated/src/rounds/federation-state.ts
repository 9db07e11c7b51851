import type { SecureServerState } from "../secure/secure-server.ts";
import type { Metrics, PrivacyRecord, ReceivedUpdate } from "./federation-event.ts";
import type { FederationPlan } from "./federation-plan.ts";

/** What is known of one client. */
export interface MemberState {
  /** Whether the client is there. */
  readonly present: boolean;
  /** Last round that an update of it counted for, 0 before the first. */
  readonly sent: number;
}

/** The round that is open, or closed and not yet aggregated. */
export interface OpenRound {
  /** Number of the round, from 1. */
  readonly round: number;
  /** Number of this start of the round, from 1. */
  readonly attempt: number;
  /** When it was started, in milliseconds. */
  readonly startedAt: number;
  /** Names of the clients that were asked, sorted. */
  readonly clients: readonly string[];
  /** Number of updates that it closes with. */
  readonly target: number;
}

/** A secure sum that goes on. */
export interface OpenSecureSum {
  /** When its stage began, in milliseconds. */
  readonly stageAt: number;
  readonly sum: SecureServerState;
}

/** What remains of a round that was aggregated, or failed. */
export interface RoundRecord {
  /** Number of the round, from 1. */
  readonly round: number;
  /** Number of starts that it took. */
  readonly attempts: number;
  /** When its last start was, in milliseconds. */
  readonly startedAt: number;
  /** When its network was there, in milliseconds. */
  readonly finishedAt: number;
  /** Names of the clients that were asked, sorted. */
  readonly clients: readonly string[];
  /** Updates that were aggregated, in vain where the round failed, in the order of names. */
  readonly updates: readonly ReceivedUpdate[];
  /** Hash of the global network after the round: the one before, where the round failed. */
  readonly hash: string;
  /** Hash of what it left for the next aggregation, `null` if nothing; missing if its event does not say. */
  readonly state?: string | null | undefined;
  /** Numbers that the server measured on it. */
  readonly metrics: Metrics;
  /** What is wrong with that network, where something is. */
  readonly warning?: string | undefined;
  /** Why nothing came of the round; missing where a network did. */
  readonly failed?: string | undefined;
  /** True where it had no updates, so that the network stayed; missing otherwise. */
  readonly empty?: true | undefined;
  /** What the round revealed, where it was private. */
  readonly privacy?: PrivacyRecord | undefined;
}

/** An update that was refused, and why. */
export interface RefusedUpdate {
  readonly client: string;
  readonly round: number;
  readonly reason: string;
  readonly at: number;
}

/** What goes on in a federation. */
export type FederationPhase =
  /** A round is to start; `reason` says why the last start was in vain, if it was. */
  | { readonly status: "waiting"; readonly open: null; readonly reason: string | null }
  /** The updates of the open round come in, or are being aggregated. */
  | {
      readonly status: "collecting" | "aggregating";
      readonly open: OpenRound;
      /** Why the start before was in vain, if it was. */
      readonly reason: string | null;
    }
  /** All rounds are over; `reason` says why the last one came to nothing, if it did. */
  | { readonly status: "finished"; readonly open: null; readonly reason: string | null }
  /** It was given up. */
  | { readonly status: "failed"; readonly open: null; readonly reason: string };

/** All that is known of a federation, as plain data: the sum of the events of its journal. */
export type FederationState = FederationFacts & FederationPhase;

/** What is known of a federation whatever goes on. */
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
  /** Updates that came while a round was being aggregated, and count in the next, in the order of names. */
  readonly held: readonly ReceivedUpdate[];
  /** Rounds that were aggregated, failed or were empty, in order. */
  readonly history: readonly RoundRecord[];
  /** The last {@link REFUSALS_REMEMBERED} refused updates, in order. */
  readonly refused: readonly RefusedUpdate[];
  /** Number of all refused updates. */
  readonly refusals: number;
  /** Why the federation ended before its last round without having failed: its privacy budget. */
  readonly stopped: string | null;
}

/** Number of refused updates that a state remembers with their reasons. */
export const REFUSALS_REMEMBERED = 200;

/**
 * Characters that are kept of the reason of a refusal, as a part of it may be the choice of a hostile
 * client.
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
 * Returns the hash of the network that clients of a round began with, or `undefined` if it is still to come.
 */
export function networkOfRound(state: FederationState, round: number): string | undefined {
  if (round === 1) return state.initial;
  return state.history[round - 2]?.hash;
}

/** Returns the rounds that a network came of, in order. */
export function aggregatedRounds({ history }: FederationState): readonly RoundRecord[] {
  return history.filter(({ failed, empty }) => failed === undefined && empty !== true);
}

/** Counts the rounds at the end of the history that failed one after another. */
export function countFailures({ history }: FederationState): number {
  return history.length - 1 - history.findLastIndex(({ failed }) => failed === undefined);
}

/** Returns how many rounds in a row may fail until the federation does: at most all that there are. */
export function mostFailures({ failures, rounds }: FederationPlan): number {
  return Math.min(failures, rounds);
}

/**
 * Returns the time to give an event that happens now: later than all before, even if the clock stood still.
 */
export function timeOfNext(state: FederationState, now: number): number {
  return Math.max(now, state.at + 1);
}

/** Returns the names of the clients that are there, sorted by code units. */
export function presentClients(state: FederationState): readonly string[] {
  return Object.keys(state.members)
    .filter((name) => state.members[name]?.present)
    .sort();
}

/** Counts the updates that a round may close with: late ones come on top, but where nothing is in step. */
export function countUpdates(plan: FederationPlan, state: FederationState): number {
  if (plan.buffer !== null) return state.updates.length;
  const round = roundOf(state);
  return state.updates.filter((update) => update.round === round).length;
}

import { isIsthmusError } from "@isthmus/core";
import type { ClientMessage, ServerMessage } from "../secure/messages.ts";
import {
  awaitedBySum,
  closeStage,
  countSenders,
  type MessageStage,
  messageTo,
  openSecureServer,
  receiveSecure,
  type SecureStage,
} from "../secure/secure-server.ts";
import { type SecureSettings, wordsOf } from "../secure/secure-settings.ts";
import type { FederationEvent } from "./federation-event.ts";
import type { FederationPlan } from "./federation-plan.ts";
import type { FederationState, OpenRound } from "./federation-state.ts";

type EventOf<K extends FederationEvent["kind"]> = Extract<FederationEvent, { kind: K }>;

/** Divisor of a round's deadline: a stage of a secure sum takes at most this part, and training the rest. */
const STAGES_PER_DEADLINE = 10;

/** Returns the number of clients of a round that suffices to finish its secure sum. */
export function thresholdOf({ secure }: FederationPlan, clients: number): number {
  const share = secure?.threshold ?? 1;
  return Math.min(clients, Math.max(Math.floor(clients / 2) + 1, Math.ceil(share * clients)));
}

/** Returns the state with the secure sum of its round set up. */
export function openSecure(state: FederationState, event: EventOf<"secure-opened">): FederationState {
  if (!isCurrent(state, event) || state.status !== "collecting" || state.secure !== null) return state;
  return { ...state, secure: { stageAt: event.at, sum: openSecureServer(event.settings) } };
}

/**
 * Returns the state after a message of a client, or the very same object if the sum does not accept the
 * message.
 */
export function takeMessage(state: FederationState, event: EventOf<"secure-received">): FederationState {
  if (!isCurrent(state, event) || refusalOfMessage(state, event.message) !== undefined) return state;
  const { secure } = state;
  return secure === null
    ? state
    : { ...state, secure: { ...secure, sum: receiveSecure(secure.sum, event.message) } };
}

/**
 * Says why a message of a client is not accepted, or returns `undefined` if it is. A message that was
 * accepted before is not accepted again, see {@link isTaken}.
 */
export function refusalOfMessage({ secure }: FederationState, message: ClientMessage): string | undefined {
  if (secure === null) return "no secure sum is open";
  if (message.kind === "masked") return "masked updates are uploaded";
  try {
    receiveSecure(secure.sum, message);
    return undefined;
  } catch (error) {
    if (isIsthmusError(error)) return error.message;
    throw error;
  }
}

/**
 * Returns whether the very same message was accepted before: clients repeat a message if its answer was lost.
 */
export function isTaken({ secure }: FederationState, message: ClientMessage): boolean {
  if (secure === null) return false;
  const { keys, shares, confirms, reveals } = secure.sum;
  const text = JSON.stringify(message);
  return [...keys, ...shares, ...confirms, ...reveals].some((taken) => JSON.stringify(taken) === text);
}

/** Returns the state after a stage, or the very same object if too few clients have sent a message. */
export function endStage(state: FederationState, event: EventOf<"secure-closed">): FederationState {
  const { secure } = state;
  if (!isCurrent(state, event) || secure?.sum.stage !== event.stage || !hasEnough(secure.sum)) return state;
  return { ...state, secure: { stageAt: event.at, sum: closeStage(secure.sum).state } };
}

/** Returns the secure sum of a state after the masked update of a client has arrived. */
export function countMasked({ secure }: FederationState, client: string): Pick<FederationState, "secure"> {
  if (secure === null) return { secure };
  const { settings } = secure.sum;
  const message = { kind: "masked", session: settings.session, client, words: wordsOf(settings) } as const;
  return { secure: { ...secure, sum: receiveSecure(secure.sum, message) } };
}

/**
 * Returns the secure sum after the stage of masked updates, or `undefined` if too few of them have arrived.
 */
export function endMasked(
  { secure }: FederationState,
  at: number,
): Pick<FederationState, "secure"> | undefined {
  if (secure?.sum.stage !== "masked" || !hasEnough(secure.sum)) return undefined;
  return { secure: { stageAt: at, sum: closeStage(secure.sum).state } };
}

/** Says why a client's masked update does not count, or returns `undefined` if it does. */
export function refusalOfMasked({ secure }: FederationState, client: string): string | undefined {
  if (secure?.sum.stage !== "masked") return "masked updates are not collected now";
  return awaitedBySum(secure.sum).includes(client)
    ? undefined
    : "the client gave out no shares in this round";
}

/** The next action in the secure sum of a round; other rounds, too, are given up or wait. */
export type SecureDecision =
  /** Set up the sum: event `secure-opened`. */
  | {
      /** Tag of the decision to set up the sum. */
      readonly kind: "open-secure";
      /** Number of the open round, from 1. */
      readonly round: number;
      /** Number of the start of the open round, from 1. */
      readonly attempt: number;
      /** Names of the clients that the sum invites, sorted. */
      readonly clients: readonly string[];
      /** Number of clients that suffice to finish the sum. */
      readonly threshold: number;
    }
  /** Take no more messages of a stage: event `secure-closed`. */
  | {
      /** Tag of the decision to end a stage. */
      readonly kind: "close-secure";
      /** Number of the open round, from 1. */
      readonly round: number;
      /** Number of the start of the open round, from 1. */
      readonly attempt: number;
      /** Stage that ends; the next one begins. */
      readonly stage: MessageStage;
    }
  /**
   * Give up this start of the round: event `round-aborted`. Its updates stay valid for the next start, except
   * for masked ones.
   */
  | {
      /** Tag of the decision to give up a start. */
      readonly kind: "abort";
      /** Number of the open round, from 1. */
      readonly round: number;
      /** Number of the start that is given up, from 1. */
      readonly attempt: number;
      /** Reason why it is given up, for people. */
      readonly reason: string;
    }
  /** Do nothing until an event, or until a time in milliseconds, `null` for events alone. */
  | {
      /** Tag of the decision to wait. */
      readonly kind: "wait";
      /** Time of the next decision, in milliseconds; `null` if only an event can change it. */
      readonly until: number | null;
      /** Reason for waiting, for people. */
      readonly reason: string;
    };

/**
 * Decides about the stages of a secure sum in which messages are exchanged; returns undefined without a
 * secure sum, while masked updates come in, and once the sum is ready to be aggregated.
 */
export function decideSecure(
  plan: FederationPlan,
  state: FederationState,
  open: OpenRound,
  now: number,
): SecureDecision | undefined {
  if (plan.secure === null) return undefined;
  const { round, attempt, clients } = open;
  if (state.secure === null) {
    return { kind: "open-secure", round, attempt, clients, threshold: thresholdOf(plan, clients.length) };
  }
  const { stageAt, sum } = state.secure;
  const { stage } = sum;
  if (stage === "masked" || stage === "done") return undefined;
  const until = stageAt + plan.deadline / STAGES_PER_DEADLINE;
  const enough = hasEnough(sum);
  const awaited = awaitedBySum(sum).filter((client) => state.members[client]?.present);
  // Any shares that reach the threshold unmask the same sum, so further ones need not be awaited.
  if (enough && (stage === "reveal" || awaited.length === 0 || now >= until)) {
    return { kind: "close-secure", round, attempt, stage };
  }
  const came = `${countSenders(sum)} of the ${sum.settings.threshold} clients that a secure sum needs sent their ${stage}`;
  if (now >= until) return { kind: "abort", round, attempt, reason: `${came} in time` };
  return { kind: "wait", until, reason: came };
}

/** Next step of a client in a secure sum, with the settings and the message of the server that it needs. */
export interface SecureTask {
  /** Kind of the message that the client must send. */
  readonly step: SecureStage;
  /** Settings of the sum: session, clients, threshold, range. */
  readonly settings: SecureSettings;
  /** Message of the server that the step needs; `null` for the first step, which needs none. */
  readonly message: ServerMessage | null;
}

/** Returns the next step of a client in the secure sum of the open round; undefined if there is none. */
export function secureTaskOf({ secure }: FederationState, client: string): SecureTask | undefined {
  if (secure === null) return undefined;
  const { stage, settings } = secure.sum;
  if (stage === "done" || !awaitedBySum(secure.sum).includes(client)) return undefined;
  return { step: stage, settings, message: messageTo(secure.sum, client) ?? null };
}

const hasEnough = (sum: NonNullable<FederationState["secure"]>["sum"]): boolean =>
  countSenders(sum) >= sum.settings.threshold;

const isCurrent = (
  { open }: FederationState,
  { round, attempt }: { readonly round: number; readonly attempt: number },
): boolean => open?.round === round && open.attempt === attempt;

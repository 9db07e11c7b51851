import { cutText } from "@isthmus/core";
import type { FederationEvent, ReceivedUpdate } from "./federation-event.ts";
import type { FederationPlan } from "./federation-plan.ts";
import {
  countFailures,
  countUpdates,
  type FederationState,
  type MemberState,
  memberOf,
  mostFailures,
  REASON_CHARACTERS,
  REFUSALS_REMEMBERED,
  type RoundRecord,
  roundOf,
} from "./federation-state.ts";
import { refusalOf } from "./refusal-of-update.ts";
import { countMasked, endMasked, endStage, openSecure, takeMessage } from "./secure-rounds.ts";

type EventOf<K extends FederationEvent["kind"]> = Extract<FederationEvent, { kind: K }>;

/**
 * Returns the state after an event. An event that does not apply, because it was seen before, comes too late,
 * or contradicts the state, changes nothing: the very same object is returned, so that a server can tell with
 * `===` whether to journal it.
 */
export function advance(
  plan: FederationPlan,
  state: FederationState,
  event: FederationEvent,
): FederationState {
  if (!(event.at > state.at) || state.status === "finished" || state.status === "failed") return state;
  const next = applyEvent(plan, state, event);
  return next === state ? state : { ...next, at: event.at };
}

/**
 * Returns the state after all events of a journal.
 * @param state - the state before the first, see `beginFederation`
 */
export function replay(
  plan: FederationPlan,
  state: FederationState,
  events: Iterable<FederationEvent>,
): FederationState {
  let next = state;
  for (const event of events) next = advance(plan, next, event);
  return next;
}

function applyEvent(plan: FederationPlan, state: FederationState, event: FederationEvent): FederationState {
  switch (event.kind) {
    case "client-joined":
      return changePresence(state, event.client, true);
    case "client-left":
      return changePresence(state, event.client, false);
    case "round-started":
      return startRound(state, event);
    case "clients-asked":
      return askFurther(state, event);
    case "update-received":
      return receiveUpdate(plan, state, event);
    case "update-refused":
      return refuseUpdate(state, event);
    case "secure-opened":
      return openSecure(state, event);
    case "secure-received":
      return takeMessage(state, event);
    case "secure-closed":
      return endStage(state, event);
    case "time-passed":
      return { ...state };
    case "round-closed":
      return closeRound(plan, state, event);
    case "round-aborted":
      return abortRound(plan, state, event);
    case "round-aggregated":
      return finishRound(plan, state, event, {
        hash: event.hash,
        metrics: event.metrics ?? {},
        ...(event.warning !== undefined && { warning: event.warning }),
        ...(event.state !== undefined && { state: event.state }),
      });
    case "round-failed":
      return finishRound(plan, state, event, { hash: state.network, metrics: {}, failed: event.reason });
    case "round-empty":
      return finishRound(plan, state, event, { hash: state.network, metrics: {}, empty: true });
    case "failed":
      return { ...state, status: "failed", open: null, reason: event.reason };
    case "stopped":
      return stop(state, event.reason);
  }
}

function changePresence(state: FederationState, client: string, present: boolean): FederationState {
  const member = memberOf(state, client);
  if ((member?.present ?? false) === present) return state;
  return withMember(state, client, { sent: member?.sent ?? 0, present });
}

/** Returns the state of a client, safe against names that every object inherits, such as `constructor`. */
function withMember(state: FederationState, client: string, member: MemberState): FederationState {
  return { ...state, members: { ...state.members, [client]: member } };
}

function startRound(state: FederationState, event: EventOf<"round-started">): FederationState {
  const { round, attempt, clients, target, at } = event;
  const expected = state.status === "waiting" && round === roundOf(state) && attempt === state.attempts + 1;
  if (!expected) return state;
  const open = { round, attempt, startedAt: at, clients, target };
  return { ...state, status: "collecting", attempts: attempt, open };
}

function askFurther(state: FederationState, event: EventOf<"clients-asked">): FederationState {
  if (state.status !== "collecting") return state;
  const { open } = state;
  if (event.round !== open.round || event.attempt !== open.attempt) return state;
  const clients = [...new Set([...open.clients, ...event.clients])].sort();
  return clients.length === open.clients.length ? state : { ...state, open: { ...open, clients } };
}

function receiveUpdate(
  plan: FederationPlan,
  state: FederationState,
  event: EventOf<"update-received">,
): FederationState {
  if (refusalOf(plan, state, event) !== undefined) return state;
  const { client, round, hash, examples, loss, metrics } = event;
  const update = { client, round, hash, examples, loss, metrics };
  const member = { present: memberOf(state, client)?.present ?? false, sent: round };
  const next = withMember(state, client, member);
  if (state.status === "aggregating") return { ...next, held: insertUpdate(state.held, update) };
  return { ...next, ...countMasked(state, client), updates: insertUpdate(state.updates, update) };
}

/** Inserts an update in the order of names, in the place of an older update of the same client. */
function insertUpdate(updates: readonly ReceivedUpdate[], update: ReceivedUpdate): readonly ReceivedUpdate[] {
  const others = updates.filter(({ client }) => client !== update.client);
  const after = others.findIndex(({ client }) => client > update.client);
  const place = after < 0 ? others.length : after;
  return [...others.slice(0, place), update, ...others.slice(place)];
}

function refuseUpdate(state: FederationState, event: EventOf<"update-refused">): FederationState {
  const { client, round, at, times = 1 } = event;
  const reason = cutText(event.reason, REASON_CHARACTERS);
  const refused = [...state.refused, { client, round, reason, at }].slice(-REFUSALS_REMEMBERED);
  return { ...state, refused, refusals: state.refusals + times };
}

function closeRound(
  plan: FederationPlan,
  state: FederationState,
  event: EventOf<"round-closed">,
): FederationState {
  if (state.status !== "collecting" || event.round !== roundOf(state)) return state;
  if (countUpdates(plan, state) < plan.quorum) return state;
  const masked = plan.secure === null ? {} : endMasked(state, event.at);
  return masked === undefined ? state : { ...state, ...masked, status: "aggregating" };
}

function abortRound(
  plan: FederationPlan,
  state: FederationState,
  event: EventOf<"round-aborted">,
): FederationState {
  const { status } = state;
  const isOpen = status === "collecting" || (status === "aggregating" && plan.secure !== null);
  if (!isOpen || event.round !== roundOf(state) || event.attempt !== state.attempts) return state;
  const aborted: FederationState = { ...state, status: "waiting", open: null, reason: event.reason };
  return plan.secure === null ? aborted : forgetMasked(aborted, event.round);
}

/** Forgets the masked updates of a round: their masks cancel in no other sum, so clients send new ones. */
function forgetMasked(state: FederationState, round: number): FederationState {
  const members = Object.entries(state.members).map(([name, member]) => {
    return [name, member.sent === round ? { ...member, sent: round - 1 } : member] as const;
  });
  return { ...state, members: Object.fromEntries(members), updates: [], secure: null };
}

/** Ends the federation between two rounds; while a round is open, the event does not apply. */
function stop(state: FederationState, reason: string): FederationState {
  if (state.status !== "waiting") return state;
  return { ...state, status: "finished", reason: null, stopped: reason };
}

/**
 * Ends the round that is being aggregated, and takes over the updates that arrived in the meantime.
 * @param outcome - result of the round
 */
function finishRound(
  plan: FederationPlan,
  state: FederationState,
  event: EventOf<"round-aggregated" | "round-failed" | "round-empty">,
  outcome: Pick<RoundRecord, "hash" | "state" | "metrics" | "warning" | "failed" | "empty">,
): FederationState {
  if (state.status !== "aggregating" || event.round !== state.open.round) return state;
  const { open } = state;
  const record = {
    round: open.round,
    attempts: open.attempt,
    startedAt: open.startedAt,
    finishedAt: event.at,
    clients: open.clients,
    updates: state.updates,
    ...outcome,
    ...(event.privacy !== undefined && { privacy: event.privacy }),
  };
  const next: FederationState = {
    ...state,
    status: "waiting",
    network: outcome.hash,
    history: [...state.history, record],
    open: null,
    secure: null,
    attempts: 0,
    updates: state.held,
    held: [],
    reason: outcome.failed ?? null,
  };
  // If too many rounds in a row have failed, the federation is not finished: it fails by the next decision.
  const isOver = next.history.length >= plan.rounds && countFailures(next) < mostFailures(plan);
  return isOver ? { ...next, status: "finished" } : next;
}

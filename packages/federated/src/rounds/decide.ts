import { sharersOf } from "../secure/secure-server.ts";
import type { ReceivedUpdate } from "./federation-event.ts";
import type { FederationPlan } from "./federation-plan.ts";
import {
  aggregatedRounds,
  countFailures,
  countUpdates,
  type FederationState,
  mostFailures,
  type OpenRound,
  presentClients,
  roundOf,
} from "./federation-state.ts";
import { decideSecure, type SecureDecision, thresholdOf } from "./secure-rounds.ts";
import { selectClients, selectReplacements } from "./select-clients.ts";

/** An update that a round aggregates. */
export interface UpdateToAggregate extends ReceivedUpdate {
  /** Number of rounds that passed since the client was given its network. */
  readonly staleness: number;
}

/** The next action of a federation; each kind names the event that follows from it. */
export type Decision =
  | {
      /** Start a round: event `round-started`. */
      readonly kind: "start";
      /** Number of the round, from 1. */
      readonly round: number;
      /** Number of this start of the round, from 1. */
      readonly attempt: number;
      /** Names of the clients to ask, sorted. */
      readonly clients: readonly string[];
      /** Number of updates with which the round closes without waiting for more. */
      readonly target: number;
    }
  | {
      /** Ask further clients, as too few are left for the quorum: event `clients-asked`. */
      readonly kind: "ask";
      /** Number of the open round, from 1. */
      readonly round: number;
      /** Number of the start of the open round, from 1. */
      readonly attempt: number;
      /** Names of the further clients to ask, sorted. */
      readonly clients: readonly string[];
    }
  /** Take no more updates for the round: event `round-closed`. */
  | {
      /** Tag of the decision to take no more updates. */
      readonly kind: "close";
      /** Number of the open round, from 1. */
      readonly round: number;
    }
  | {
      /**
       * Aggregate the updates, in the order of names: event `round-aggregated`, or `round-failed` if they
       * make no usable network, or `round-empty` if there are no updates and the network stays.
       */
      readonly kind: "aggregate";
      /** Number of the round, from 1. */
      readonly round: number;
      /**
       * Number of this aggregation, from 1, without counting rounds that failed or were empty: the state of
       * the server's optimiser is from the step before.
       */
      readonly step: number;
      /** Hash of the global network before the aggregation. */
      readonly network: string;
      /** Updates to aggregate, in the order of names, each with its staleness. */
      readonly updates: readonly UpdateToAggregate[];
    }
  | SecureDecision
  /** Give up the federation: event `failed`. */
  | {
      /** Tag of the decision to give up the federation. */
      readonly kind: "fail";
      /** Reason why the federation fails, for people. */
      readonly reason: string;
    }
  /** Nothing is left to do. */
  | {
      /** Tag of the decision to end, as nothing is left to do. */
      readonly kind: "finish";
      /** Hash of the last global network. */
      readonly network: string;
    };

/**
 * Decides what a federation does next: a function of its plan, its state and the time alone, so that a server
 * that was killed decides the same again after a restart.
 * @param now - the time, in milliseconds
 */
export function decide(plan: FederationPlan, state: FederationState, now: number): Decision {
  switch (state.status) {
    case "finished":
    case "failed":
      return { kind: "finish", network: state.network };
    case "aggregating":
      return decideAggregation(plan, state, state.open, now);
    case "waiting":
      return decideStart(plan, state);
    case "collecting":
      return decideOpen(plan, state, state.open, now);
  }
}

function decideAggregation(
  plan: FederationPlan,
  state: FederationState,
  open: OpenRound,
  now: number,
): Decision {
  const secure = decideSecure(plan, state, open, now);
  return secure === undefined ? { kind: "aggregate", ...aggregationOf(state) } : secure;
}

function aggregationOf(state: FederationState) {
  const round = roundOf(state);
  const updates = state.updates.map((update) => ({ ...update, staleness: round - update.round }));
  const step = 1 + aggregatedRounds(state).length;
  return { round, step, network: state.network, updates };
}

function decideStart(plan: FederationPlan, state: FederationState): Decision {
  const failures = countFailures(state);
  if (failures >= mostFailures(plan)) {
    const last = state.history.at(-1)?.failed;
    const reason = `the updates of ${failures} round${failures === 1 ? "" : "s"} in a row came to nothing: ${last}`;
    return { kind: "fail", reason };
  }
  const round = roundOf(state);
  if (state.attempts >= plan.attempts) {
    const reason = `round ${round} was started ${state.attempts} times in vain: ${state.reason}`;
    return { kind: "fail", reason };
  }
  const present = presentClients(state);
  const needed = Math.max(plan.quorum, plan.available);
  if (present.length < needed) {
    const reason = `${present.length} of the ${needed} clients are there that a round needs to start`;
    return { kind: "wait", until: null, reason };
  }
  const attempt = state.attempts + 1;
  return { kind: "start", round, attempt, ...selectClients(plan, present, round, attempt) };
}

function decideOpen(plan: FederationPlan, state: FederationState, open: OpenRound, now: number): Decision {
  const { round, attempt } = open;
  const secure = decideSecure(plan, state, open, now);
  if (secure !== undefined) return secure;
  const counted = countUpdates(plan, state);
  const quorum =
    plan.secure === null ? plan.quorum : Math.max(plan.quorum, thresholdOf(plan, open.clients.length));
  const enough = counted >= quorum;
  const awaited = awaitedClients(plan, state, open).length;
  if (enough && (counted >= open.target || awaited === 0)) return { kind: "close", round };
  const until = open.startedAt + plan.deadline;
  if (now < until) {
    // If so many clients left that the quorum is out of reach, it would be useless to wait for the deadline.
    const clients = selectReplacements(plan, idleClients(state, open), open, quorum - counted - awaited);
    if (clients.length > 0) return { kind: "ask", round, attempt, clients };
    return { kind: "wait", until, reason: `${counted} of ${open.target} updates are there` };
  }
  if (enough) return { kind: "close", round };
  const reason = `${counted} updates of the ${quorum} of the quorum came before the deadline`;
  return { kind: "abort", round, attempt, reason };
}

/**
 * Returns the names of the present clients that were not asked and have sent no update for the round, sorted.
 */
function idleClients(state: FederationState, open: OpenRound): readonly string[] {
  const asked = new Set(open.clients);
  return presentClients(state).filter(
    (name) => !asked.has(name) && (state.members[name]?.sent ?? 0) < open.round,
  );
}

/**
 * Returns the names of the clients whose update may still come: clients that are present, were asked, and
 * have sent no update yet.
 */
function awaitedClients(plan: FederationPlan, state: FederationState, open: OpenRound): readonly string[] {
  // A client that gave out no shares in a secure sum cannot send an update any more.
  const asked = new Set(state.secure === null ? open.clients : sharersOf(state.secure.sum));
  return Object.entries(state.members)
    .filter(
      ([name, { present, sent }]) =>
        present && sent < open.round && (plan.buffer !== null || asked.has(name)),
    )
    .map(([name]) => name);
}

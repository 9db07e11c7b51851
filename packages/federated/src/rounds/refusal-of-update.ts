import type { ReceivedUpdate } from "./federation-event.ts";
import type { FederationPlan } from "./federation-plan.ts";
import { type FederationState, memberOf, networkOfRound, roundOf } from "./federation-state.ts";
import { refusalOfMasked } from "./secure-rounds.ts";

/**
 * Says why an update that passed the checks of its bytes does not count, or returns `undefined` if it does.
 * @param update - client that sends the update, and its round
 */
export function refusalOf(
  plan: FederationPlan,
  state: FederationState,
  { client, round }: Pick<ReceivedUpdate, "client" | "round">,
): string | undefined {
  const member = memberOf(state, client);
  if (state.status === "finished" || state.status === "failed") return "the federation is over";
  if (member === undefined) return "the client has not joined";
  if (!Number.isSafeInteger(round) || networkOfRound(state, round) === undefined) {
    return `there is no round ${round} yet: the next is ${roundOf(state)}`;
  }
  if (member.sent >= round) return `an update of the client counted for round ${member.sent} already`;
  const inTime = state.status === "collecting" && round === roundOf(state);
  if (!inTime) {
    const late = refusalOfLate(plan, state, round);
    if (late !== undefined) return late;
  }
  if (plan.buffer !== null) return undefined;
  const asked = askedClients(state, round);
  if (!asked.includes(client)) return `the client was not asked for round ${round}`;
  return plan.secure === null ? undefined : refusalOfMasked(state, client);
}

function refusalOfLate(plan: FederationPlan, state: FederationState, round: number): string | undefined {
  const open = roundOf(state);
  if (round === open && state.open === null) return `round ${round} is not open`;
  if (plan.late === "refuse" && plan.buffer === null) return `round ${round} is closed`;
  // While a round is being aggregated, its own updates are late already: they count in the next round.
  const staleness = open + Number(state.status === "aggregating") - round;
  if (staleness <= plan.maximumStaleness) return undefined;
  return `the update is late by ${staleness} rounds, of at most ${plan.maximumStaleness}`;
}

function askedClients(state: FederationState, round: number): readonly string[] {
  if (round === roundOf(state)) return state.open?.clients ?? [];
  return state.history[round - 1]?.clients ?? [];
}

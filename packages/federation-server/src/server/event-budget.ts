import { type FederationState, roundOf } from "@isthmus/federated";
import type { UntimedEvent } from "./running-federation.ts";

/**
 * Number of events of one kind, in a round, that a client can cause at will and that are journaled one by
 * one.
 */
export const MOST_OF_A_ROUND = 20;

/** Budget that decides which events of a client are journaled, so that no client can fill the journal. */
export interface EventBudget {
  /**
   * Returns the event to journal, or `undefined` for none. Beyond {@link MOST_OF_A_ROUND} refusals in a
   * round, only refusals whose number is a power of two are journaled, with the number of refusals that they
   * represent. A client that has left so often stays present until the round is over.
   */
  admit(event: UntimedEvent, state: FederationState): UntimedEvent | undefined;
}

/**
 * Creates the budget of a federation, whose counts start again with each round and each start of the server.
 */
export function createEventBudget(): EventBudget {
  let round = 0;
  const refusals = new Map<string, { seen: number; journaled: number }>();
  const leavings = new Map<string, number>();
  const admitRefusal = (
    event: Extract<UntimedEvent, { kind: "update-refused" }>,
  ): UntimedEvent | undefined => {
    const count = refusals.get(event.client) ?? { seen: 0, journaled: 0 };
    refusals.set(event.client, count);
    count.seen++;
    if (count.seen > MOST_OF_A_ROUND && !Number.isInteger(Math.log2(count.seen))) return undefined;
    const times = count.seen - count.journaled;
    count.journaled = count.seen;
    return times === 1 ? event : { ...event, times };
  };
  return {
    admit(event, state) {
      if (roundOf(state) !== round) {
        round = roundOf(state);
        refusals.clear();
        leavings.clear();
      }
      if (event.kind === "update-refused") return admitRefusal(event);
      if (event.kind !== "client-left" || state.members[event.client]?.present !== true) return event;
      const count = 1 + (leavings.get(event.client) ?? 0);
      leavings.set(event.client, count);
      return count > MOST_OF_A_ROUND ? undefined : event;
    },
  };
}

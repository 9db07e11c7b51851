import { beginFederation, type FederationState } from "@isthmus/federated";
import { describe, expect, it } from "vitest";
import { createEventBudget, MOST_OF_A_ROUND } from "./event-budget.ts";
import type { UntimedEvent } from "./running-federation.ts";

const state: FederationState = {
  ...beginFederation("0".repeat(64)),
  members: { ada: { present: true, sent: 0 }, bea: { present: true, sent: 0 } },
};
const refusal = (client: string, round = 1): UntimedEvent => ({
  ...{ kind: "update-refused", client, round, reason: "too long" },
});

/** Returns for how many refusals the journaled ones of a client stand. */
function timesOf(events: readonly (UntimedEvent | undefined)[]): number[] {
  return events.flatMap((event) => (event?.kind === "update-refused" ? [event.times ?? 1] : []));
}

describe("createEventBudget()", () => {
  it("journals few of many refusals of a client, whatever round they name, and counts all up to the last one", () => {
    const { admit } = createEventBudget();
    const times = timesOf(Array.from({ length: 2 ** 14 }, (_, i) => admit(refusal("ada", i + 1), state)));
    expect(times.length).toBeLessThan(MOST_OF_A_ROUND + 14);
    expect(times.reduce((sum, count) => sum + count, 0)).toBe(2 ** 14);
    expect(timesOf([admit(refusal("bea"), state)])).toEqual([1]);
  });

  it("begins again with each round", () => {
    const { admit } = createEventBudget();
    for (let i = 0; i < 100; i++) admit(refusal("ada"), state);
    expect(admit(refusal("ada"), state)).toBeUndefined();
    const record = {
      ...{
        round: 1,
        attempts: 1,
        startedAt: 0,
        finishedAt: 1,
        clients: [],
        updates: [],
        hash: "",
        metrics: {},
      },
    };
    expect(admit(refusal("ada"), { ...state, history: [record] })).toEqual(refusal("ada"));
  });

  it("lets a client leave so many times in a round, and all other events happen", () => {
    const { admit } = createEventBudget();
    const left: UntimedEvent = { kind: "client-left", client: "ada" };
    const joined: UntimedEvent = { kind: "client-joined", client: "ada" };
    const leavings = Array.from({ length: 50 }, () => {
      expect(admit(joined, state)).toBe(joined);
      return admit(left, state);
    });
    expect(leavings.filter((event) => event !== undefined)).toHaveLength(MOST_OF_A_ROUND);
    expect(admit({ kind: "client-left", client: "bea" }, state)).toBeDefined();
  });
});

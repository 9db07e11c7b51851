import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { advance, replay } from "./advance.ts";
import { decide } from "./decide.ts";
import type { FederationEvent } from "./federation-event.ts";
import { type FederationPlan, planFederation } from "./federation-plan.ts";
import {
  beginFederation,
  countFailures,
  countUpdates,
  type FederationState,
  mostFailures,
  networkOfRound,
  presentClients,
  roundOf,
  timeOfNext,
} from "./federation-state.ts";
import { refusalOf } from "./refusal-of-update.ts";
import { selectClients } from "./select-clients.ts";
import { taskOfClient } from "./task-of-client.ts";

const NAMES = ["ada", "bea", "cas", "dan", "eva", "__proto__", "Ünal"];

const plans = fc
  .record({
    rounds: fc.integer({ min: 1, max: 3 }),
    quorum: fc.integer({ min: 1, max: 3 }),
    sampling: fc.constantFrom("fixed-size" as const, "poisson" as const),
    available: fc.integer({ min: 1, max: 5 }),
    fraction: fc.constantFrom(0.3, 0.5, 1),
    overSelection: fc.constantFrom(0, 0.5),
    attempts: fc.integer({ min: 1, max: 3 }),
    failures: fc.integer({ min: 1, max: 3 }),
    seed: fc.nat(),
    late: fc.constantFrom("refuse" as const, "accept" as const),
    maximumStaleness: fc.integer({ min: 1, max: 2 }),
    extra: fc.option(fc.integer({ min: 0, max: 2 })),
  })
  .map(({ extra, sampling, ...plan }) =>
    planFederation({
      ...{ ...plan, deadline: 50 },
      ...(extra === null ? { sampling } : { buffer: plan.quorum + extra }),
      // By Poisson sampling nobody may be asked.
      ...(extra === null && sampling === "poisson" && { quorum: plan.quorum - 1 }),
    }),
  );

/** A federation as a server runs it: whatever changes the state is journaled. */
interface Running {
  plan: FederationPlan;
  state: FederationState;
  now: number;
  journal: FederationEvent[];
}

type Unstamped = FederationEvent extends infer E ? (E extends { at: number } ? Omit<E, "at"> : never) : never;

function happen(real: Running, event: Unstamped): boolean {
  const stamped = { ...event, at: timeOfNext(real.state, real.now) } as FederationEvent;
  const next = advance(real.plan, real.state, stamped);
  const changed = next !== real.state;
  if (changed) real.journal.push(stamped);
  real.state = next;
  checkInvariants(real);
  return changed;
}

function checkInvariants({ plan, state }: Running): void {
  expect(state.history.length).toBeLessThanOrEqual(plan.rounds);
  expect(state.attempts).toBeLessThanOrEqual(plan.attempts);
  expect(countFailures(state)).toBeLessThanOrEqual(mostFailures(plan));
  if (state.status === "finished") expect(countFailures(state)).toBeLessThan(mostFailures(plan));
  expect(state.network).toBe(networkOfRound(state, roundOf(state)));
  for (const { round, hash, failed, empty } of state.history) {
    const before = networkOfRound(state, round);
    if (failed === undefined && !empty) expect(hash).not.toBe(before);
    else expect(hash).toBe(before);
  }
  for (const list of [state.updates, state.held, ...state.history.map(({ updates }) => updates)]) {
    const names = list.map(({ client }) => client);
    expect(names).toEqual([...new Set(names)].sort());
  }
  for (const { round, updates } of state.history) {
    const fresh = updates.filter((update) => update.round === round);
    expect((plan.buffer === null ? fresh : updates).length).toBeGreaterThanOrEqual(plan.quorum);
    for (const update of updates) expect(round - update.round).toBeLessThanOrEqual(plan.maximumStaleness);
  }
  // No update counts in two rounds.
  const counted = [...state.history.flatMap(({ updates }) => updates), ...state.updates, ...state.held];
  const keys = counted.map(({ client, round }) => JSON.stringify([client, round]));
  expect(new Set(keys).size).toBe(keys.length);
}

/** Does what is decided, as a server would; the numbers of what it aggregates may not be finite. */
function act(real: Running, succeeds = true): void {
  const decision = decide(real.plan, real.state, real.now);
  expect(decide(real.plan, structuredClone(real.state), real.now)).toEqual(decision);
  const { kind, ...rest } = decision;
  switch (decision.kind) {
    case "start":
      expect(happen(real, { kind: "round-started", ...rest } as Unstamped)).toBe(true);
      break;
    case "ask":
      expect(happen(real, { kind: "clients-asked", ...rest } as Unstamped)).toBe(true);
      break;
    case "close":
      expect(countUpdates(real.plan, real.state)).toBeGreaterThanOrEqual(real.plan.quorum);
      expect(happen(real, { kind: "round-closed", round: decision.round })).toBe(true);
      break;
    case "aggregate": {
      const useful = real.state.history.filter(({ failed, empty }) => failed === undefined && !empty).length;
      expect([decision.step, decision.network]).toEqual([useful + 1, real.state.network]);
      if (decision.updates.length === 0) {
        expect(happen(real, { kind: "round-empty", round: decision.round })).toBe(true);
        break;
      }
      if (!succeeds) {
        expect(happen(real, { kind: "round-failed", round: decision.round, reason: "not finite" })).toBe(
          true,
        );
        expect(real.state.network).toBe(decision.network);
        break;
      }
      const hash = JSON.stringify([decision.network, decision.updates.map((update) => update.hash)]);
      expect(happen(real, { kind: "round-aggregated", round: decision.round, hash })).toBe(true);
      break;
    }
    case "abort":
      expect(happen(real, { kind: "round-aborted", ...rest } as Unstamped)).toBe(true);
      break;
    case "fail":
      expect(happen(real, { kind: "failed", reason: decision.reason })).toBe(true);
      break;
    default:
      break;
  }
}

const client = fc.constantFrom(...NAMES);
const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("join" as const), client }),
    fc.record({ do: fc.constant("leave" as const), client }),
    fc.record({ do: fc.constant("work" as const), client }),
    fc.record({ do: fc.constant("send" as const), client, round: fc.integer({ min: -1, max: 5 }) }),
    fc.record({ do: fc.constant("refuse" as const), client }),
    fc.record({ do: fc.constant("replay" as const), place: fc.nat() }),
    fc.record({ do: fc.constant("pass" as const), time: fc.integer({ min: 0, max: 60 }) }),
    fc.record({ do: fc.constant("decide" as const), succeeds: fc.boolean() }),
  ),
  { minLength: 20, maxLength: 120 },
);

type Step = typeof steps extends fc.Arbitrary<(infer S)[]> ? S : never;

function take(real: Running, step: Step): void {
  switch (step.do) {
    case "join":
      happen(real, { kind: "client-joined", client: step.client });
      break;
    case "leave":
      happen(real, { kind: "client-left", client: step.client });
      break;
    case "work": {
      const task = taskOfClient(real.plan, real.state, step.client);
      if (task.kind === "train") {
        expect(networkOfRound(real.state, task.round)).toBe(task.network);
        expect(send(real, step.client, task.round)).toBe(true);
      }
      break;
    }
    case "send": {
      const refusal = refusalOf(real.plan, real.state, step);
      expect(send(real, step.client, step.round)).toBe(refusal === undefined);
      break;
    }
    case "refuse":
      happen(real, { kind: "update-refused", client: step.client, round: 1, reason: "not finite" });
      break;
    case "replay": {
      const event = real.journal[step.place % Math.max(real.journal.length, 1)];
      if (event !== undefined) expect(advance(real.plan, real.state, event)).toBe(real.state);
      break;
    }
    case "pass":
      real.now += step.time;
      break;
    case "decide":
      act(real, step.succeeds);
      break;
  }
}

function send(real: Running, name: string, round: number): boolean {
  return happen(real, {
    kind: "update-received",
    client: name,
    round,
    hash: `${name} ${round} ${real.journal.length}`,
    examples: 1,
  });
}

function run(plan: FederationPlan, taken: readonly Step[]): Running {
  const real = { plan, state: beginFederation("first"), now: 0, journal: [] };
  for (const step of taken) take(real, step);
  return real;
}

describe("selectClients() by Poisson sampling", () => {
  it("selectClients() asks each client by itself, with the plan's probability", () => {
    const plan = planFederation({ sampling: "poisson", fraction: 0.3, quorum: 0, seed: 4 });
    const names = Array.from({ length: 20 }, (_, i) => `client ${String(i).padStart(2, "0")}`);
    const rounds = Array.from({ length: 1000 }, (_, i) => selectClients(plan, names, i + 1, 1).clients);
    const counts = rounds.map(({ length }) => length);
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length;
    // Binomial: 20 * 0.3 = 6, and 20 * 0.3 * 0.7 = 4.2; five standard errors of 1,000 rounds.
    expect(Math.abs(mean - 6)).toBeLessThan(5 * Math.sqrt(4.2 / 1000));
    expect(Math.abs(variance - 4.2)).toBeLessThan(5 * 4.2 * Math.sqrt(2 / 1000));
    for (const name of names) {
      const times = rounds.filter((clients) => clients.includes(name)).length;
      expect(Math.abs(times - 300)).toBeLessThan(5 * Math.sqrt(1000 * 0.3 * 0.7));
    }
  });

  it("decide() closes a round that nobody was asked for, without waiting", () => {
    const plan = planFederation({ sampling: "poisson", fraction: 1e-9, quorum: 0, rounds: 1 });
    let state = advance(plan, beginFederation("n0"), { kind: "client-joined", client: "ada", at: 1 });
    const start = decide(plan, state, 2);
    expect(start).toEqual({ kind: "start", round: 1, attempt: 1, clients: [], target: 0 });
    state = advance(plan, state, {
      ...(start as Extract<typeof start, { kind: "start" }>),
      kind: "round-started",
      at: 2,
    });
    expect(decide(plan, state, 3)).toEqual({ kind: "close", round: 1 });
    state = advance(plan, state, { kind: "round-closed", round: 1, at: 3 });
    expect(decide(plan, state, 4)).toEqual({
      kind: "aggregate",
      round: 1,
      step: 1,
      network: "n0",
      updates: [],
    });
    const empty = advance(plan, state, { kind: "round-empty", round: 1, at: 4 });
    expect(empty).toMatchObject({
      status: "finished",
      network: "n0",
      history: [{ hash: "n0", empty: true }],
    });
    // An optimiser of the server did not step, and nothing failed.
    const again = { ...empty, status: "waiting", open: null } as const;
    expect(countFailures(again)).toBe(0);
    expect(decide({ ...plan, rounds: 2 }, again, 5)).toMatchObject({ kind: "start", round: 2 });
    expect(() => planFederation({ quorum: 0 })).toThrow(/"quorum"/);
    expect(() => planFederation({ sampling: "poisson", buffer: 3 })).toThrow(/leave one out/);
  });
});

describe("any interleaving of clients, time, replays and decisions", () => {
  test("keeps the quorum, counts each update once, and comes again from any prefix of the journal", () => {
    fc.assert(
      fc.property(plans, steps, fc.nat(), (plan, taken, cut) => {
        const { journal, state } = run(plan, taken);
        const written = JSON.parse(JSON.stringify(journal)) as FederationEvent[];
        expect(replay(plan, beginFederation("first"), written)).toEqual(JSON.parse(JSON.stringify(state)));
        const half = cut % (journal.length + 1);
        const middle = replay(plan, beginFederation("first"), written.slice(0, half));
        // What was read twice, as after a kill between writing and answering, changes nothing.
        expect(replay(plan, middle, written.slice(0, half))).toBe(middle);
        expect(replay(plan, middle, written)).toEqual(JSON.parse(JSON.stringify(state)));
      }),
      { numRuns: 300 },
    );
  });

  test("ends, once every client does what it is told", () => {
    fc.assert(
      fc.property(plans, steps, (plan, taken) => {
        const real = run(plan, taken);
        for (let turn = 0; turn < 200 && decide(plan, real.state, real.now).kind !== "finish"; turn++) {
          for (const name of NAMES) take(real, { do: "join", client: name });
          act(real);
          for (const name of NAMES) take(real, { do: "work", client: name });
          real.now += 10;
        }
        expect(["finished", "failed"]).toContain(real.state.status);
        if (real.state.status === "failed") expect(real.state.reason).toMatch(/in vain|came to nothing/);
      }),
      { numRuns: 100 },
    );
  });
});

test("the order of arrival does not change what is aggregated", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(NAMES, { minLength: NAMES.length }), (order) => {
      const real = run(
        planFederation({ quorum: NAMES.length }),
        NAMES.map((name) => ({ do: "join", client: name })),
      );
      act(real);
      for (const name of order) {
        happen(real, { kind: "update-received", client: name, round: 1, hash: name, examples: 1 });
      }
      act(real);
      const decision = decide(real.plan, real.state, real.now);
      expect(decision).toMatchObject({
        kind: "aggregate",
        updates: NAMES.toSorted().map((hash) => ({ hash })),
      });
    }),
  );
});

describe("selectClients", () => {
  it("asks for as many as the fraction says, and some more", () => {
    const present = Array.from({ length: 20 }, (_, i) => `client-${i}`).sort();
    const plan = planFederation({ fraction: 0.25, overSelection: 0.4, seed: 3 });
    const first = selectClients(plan, present, 1, 1);
    expect(first.target).toBe(5);
    expect(first.clients).toHaveLength(7);
    expect(selectClients(plan, present, 1, 1)).toEqual(first);
    expect(selectClients(plan, present, 2, 1)).not.toEqual(first);
    expect(selectClients(plan, present, 1, 2)).not.toEqual(first);
  });

  it("chooses all alike often", () => {
    const present = ["a", "b", "c", "d"];
    const plan = planFederation({ fraction: 0.5 });
    const counts = new Map(present.map((name) => [name, 0]));
    for (let round = 1; round <= 2000; round++) {
      for (const name of selectClients(plan, present, round, 1).clients) {
        counts.set(name, (counts.get(name) as number) + 1);
      }
    }
    // Binomial with a deviation of 22: five of them.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(112);
  });
});

describe("a round", () => {
  const joined = (options: Parameters<typeof planFederation>[0]) => {
    const real = run(
      planFederation(options),
      ["a", "b", "c"].map((name) => ({ do: "join", client: name })) as Step[],
    );
    act(real);
    return real;
  };

  it("closes without the clients that left, if the quorum is there", () => {
    const real = joined({ quorum: 2 });
    send(real, "a", 1);
    send(real, "b", 1);
    expect(decide(real.plan, real.state, 10).kind).toBe("wait");
    happen(real, { kind: "client-left", client: "c" });
    expect(decide(real.plan, real.state, 10)).toEqual({ kind: "close", round: 1 });
  });

  it("asks a client that is idle as soon as the quorum is out of reach of those that were asked", () => {
    const real = run(
      planFederation({ quorum: 3, fraction: 0.5 }),
      ["anna", "bert", "cleo", "mal"].map((name) => ({ do: "join", client: name })) as Step[],
    );
    act(real);
    const asked = real.state.open?.clients ?? [];
    const idle = presentClients(real.state).find((name) => !asked.includes(name)) as string;
    const [leaver = "", ...others] = asked;
    for (const name of others) send(real, name, 1);
    expect(decide(real.plan, real.state, 10).kind).toBe("wait");
    happen(real, { kind: "client-left", client: leaver });
    expect(decide(real.plan, real.state, 10)).toEqual({ kind: "ask", round: 1, attempt: 1, clients: [idle] });
    act(real);
    expect(taskOfClient(real.plan, real.state, idle)).toMatchObject({ kind: "train", round: 1 });
    expect(decide(real.plan, real.state, 10).kind).toBe("wait");
    expect(send(real, idle, 1)).toBe(true);
    expect(decide(real.plan, real.state, 10)).toEqual({ kind: "close", round: 1 });
    expect(real.state).toMatchObject({ attempts: 1, open: { clients: ["anna", "bert", "cleo", "mal"] } });
  });

  it("asks a client that joins after all idle ones were asked, and nobody while the quorum is in reach", () => {
    const real = joined({ quorum: 3 });
    happen(real, { kind: "client-left", client: "c" });
    expect(decide(real.plan, real.state, 10).kind).toBe("wait");
    happen(real, { kind: "client-joined", client: "d" });
    expect(decide(real.plan, real.state, 10)).toMatchObject({ kind: "ask", clients: ["d"] });
    happen(real, { kind: "client-joined", client: "c" });
    expect(decide(real.plan, real.state, 10).kind).toBe("wait");
  });

  it("closes at its deadline with the quorum, and is aborted without", () => {
    const real = joined({ quorum: 2, deadline: 100, attempts: 2 });
    send(real, "a", 1);
    real.now = 1000;
    expect(decide(real.plan, real.state, 1000)).toMatchObject({ kind: "abort", round: 1, attempt: 1 });
    act(real);
    act(real);
    // What came in vain counts in the next attempt.
    send(real, "c", 1);
    real.now = 2000;
    act(real);
    expect(decide(real.plan, real.state, 0)).toMatchObject({
      kind: "aggregate",
      updates: [{ client: "a" }, { client: "c" }],
    });
  });

  it("counts a late update in the next round, with its staleness, unless the client sends a new one", () => {
    const real = joined({ quorum: 2, late: "accept" });
    send(real, "a", 1);
    send(real, "b", 1);
    happen(real, { kind: "client-left", client: "c" });
    act(real);
    expect(send(real, "c", 1)).toBe(true);
    act(real);
    act(real);
    expect(real.state.updates).toMatchObject([{ client: "c", round: 1 }]);
    expect(taskOfClient(real.plan, real.state, "a")).toMatchObject({ kind: "train", round: 2 });
    send(real, "a", 2);
    send(real, "b", 2);
    act(real);
    expect(decide(real.plan, real.state, 0)).toMatchObject({
      updates: [{ staleness: 0 }, { staleness: 0 }, { client: "c", staleness: 1 }],
    });
  });

  it("says why an update does not count", () => {
    const real = joined({ quorum: 1, fraction: 0.1 });
    const asked = real.state.open?.clients[0] as string;
    const other = presentClients(real.state).find((name) => name !== asked) as string;
    expect(refusalOf(real.plan, real.state, { client: "x", round: 1 })).toBe("the client has not joined");
    expect(refusalOf(real.plan, real.state, { client: asked, round: 2 })).toContain("no round 2 yet");
    expect(refusalOf(real.plan, real.state, { client: other, round: 1 })).toContain("not asked for round 1");
    send(real, asked, 1);
    expect(refusalOf(real.plan, real.state, { client: asked, round: 1 })).toContain("counted for round 1");
    act(real);
    act(real);
    expect(roundOf(real.state)).toBe(2);
    expect(refusalOf(real.plan, real.state, { client: other, round: 1 })).toContain("round 1 is closed");
  });
});

describe("a refusal", () => {
  it("counts as often as its event says, and only the beginning of its reason is kept", () => {
    const refused = { kind: "update-refused", client: "ada", round: 1, reason: "x".repeat(1e6) } as const;
    const events: FederationEvent[] = [
      { ...refused, at: 1 },
      { ...refused, at: 2, times: 41 },
    ];
    const state = replay(planFederation({}), beginFederation("0"), events);
    expect(state.refusals).toBe(42);
    expect(state.refused.map(({ reason }) => reason)).toEqual(Array(2).fill(`${"x".repeat(600)}...`));
  });
});

describe("a round that fails", () => {
  const failing = (options: Parameters<typeof planFederation>[0]) => {
    const plan = planFederation({ quorum: 2, ...options });
    const real = run(plan, ["a", "b"].map((name) => ({ do: "join", client: name })) as Step[]);
    return {
      real,
      round(succeeds: boolean) {
        act(real);
        for (const name of ["a", "b"]) take(real, { do: "work", client: name });
        act(real);
        act(real, succeeds);
      },
    };
  };

  it("leaves the network, counts as a round, and clients begin the next one at the same network", () => {
    const { real, round } = failing({ rounds: 3, failures: 2 });
    round(false);
    expect(real.state).toMatchObject({
      status: "waiting",
      network: "first",
      updates: [],
      reason: "not finite",
    });
    expect(real.state.history).toMatchObject([
      { round: 1, hash: "first", failed: "not finite", metrics: {} },
    ]);
    act(real);
    expect(taskOfClient(real.plan, real.state, "a")).toMatchObject({ round: 2, network: "first" });
    round(true);
    round(false);
    expect(decide(real.plan, real.state, 0)).toEqual({ kind: "finish", network: real.state.network });
    expect([real.state.status, real.state.history.map(({ failed }) => failed)]).toEqual([
      "finished",
      ["not finite", undefined, "not finite"],
    ]);
  });

  it("ends the federation after so many in a row, or where no round came to anything", () => {
    const { real, round } = failing({ rounds: 9, failures: 2 });
    for (const succeeds of [false, true, false]) round(succeeds);
    expect(decide(real.plan, real.state, 0).kind).toBe("start");
    round(false);
    const reason = "the updates of 2 rounds in a row came to nothing: not finite";
    expect(decide(real.plan, real.state, 0)).toEqual({ kind: "fail", reason });
    act(real);
    expect(real.state).toMatchObject({ status: "failed", reason, network: real.state.history[1]?.hash });
    const all = failing({ rounds: 1 });
    all.round(false);
    expect(decide(all.real.plan, all.real.state, 0)).toMatchObject({ kind: "fail" });
  });

  it("fails only while it is being aggregated, and only once", () => {
    const { real, round } = failing({ rounds: 9 });
    expect(happen(real, { kind: "round-failed", round: 1, reason: "x" })).toBe(false);
    round(false);
    expect(happen(real, { kind: "round-failed", round: 1, reason: "x" })).toBe(false);
  });
});

describe("planFederation", () => {
  it.each([
    [{ rounds: 0 }, "rounds"],
    [{ failures: 0 }, "failures"],
    [{ fraction: 0 }, "fraction"],
    [{ fraction: Number.NaN }, "fraction"],
    [{ overSelection: -1 }, "overSelection"],
    [{ deadline: 0 }, "deadline"],
    [{ late: "maybe" as "refuse" }, "late"],
    [{ quorum: 5, buffer: 3 }, "buffer"],
  ])("refuses %o", (options, name) => {
    expect(() => planFederation(options)).toThrow(`"${name}" must be`);
  });
});

import { at } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import type { ClientMessage, DeliveryMessage, RosterMessage, SurvivorsMessage } from "../secure/messages.ts";
import {
  openSecureClient,
  receiveShares,
  revealShares,
  type SecureClientState,
  shareSecrets,
} from "../secure/secure-client.ts";
import { advance } from "./advance.ts";
import { decide } from "./decide.ts";
import type { FederationEvent } from "./federation-event.ts";
import { planFederation, SECURE_PLAN_DEFAULTS } from "./federation-plan.ts";
import { beginFederation, type FederationState } from "./federation-state.ts";
import { isTaken, refusalOfMessage, secureTaskOf, thresholdOf } from "./secure-rounds.ts";
import { taskOfClient } from "./task-of-client.ts";

const NAMES = ["ada", "bea", "cas"];
const plan = planFederation({ rounds: 1, quorum: 2, deadline: 1000, secure: SECURE_PLAN_DEFAULTS });

/** A round of three clients that do what they are asked; time passes by one with each event. */
class SecureRound {
  state: FederationState = beginFederation("n0");
  readonly clients = new Map<string, SecureClientState>();
  readonly events: FederationEvent[] = [];

  happen(event: object): boolean {
    const timed = { ...event, at: this.state.at + 1 } as FederationEvent;
    const next = advance(plan, this.state, timed);
    const changed = next !== this.state;
    if (changed) this.events.push(timed);
    this.state = next;
    return changed;
  }

  /** Follows decisions until clients are needed. */
  settle(): string {
    for (;;) {
      const decision = decide(plan, this.state, this.state.at);
      if (decision.kind === "start") this.happen({ ...decision, kind: "round-started" });
      else if (decision.kind === "open-secure") {
        const { round, attempt, clients, threshold } = decision;
        const settings = {
          session: `attempt ${attempt}`,
          clients,
          threshold,
          elements: 3,
          range: 1,
          examplesCap: 9,
        };
        this.happen({ kind: "secure-opened", round, attempt, settings });
      } else if (decision.kind === "close-secure") this.happen({ ...decision, kind: "secure-closed" });
      else if (decision.kind === "close") this.happen({ ...decision, kind: "round-closed" });
      else if (decision.kind === "abort") this.happen({ ...decision, kind: "round-aborted" });
      else return decision.kind;
    }
  }

  send(message: ClientMessage): boolean {
    const { round = 0, attempt = 0 } = this.state.open ?? {};
    return this.happen({
      kind: "secure-received",
      round,
      attempt,
      message: JSON.parse(JSON.stringify(message)),
    });
  }

  /** Lets a client do its step. */
  async step(name: string): Promise<void> {
    const task = at(
      [secureTaskOf(this.state, name)].flatMap((one) => one ?? []),
      0,
    );
    const before = this.clients.get(name);
    if (task.step === "masked" && before !== undefined) {
      this.clients.set(name, receiveShares(before, task.message as DeliveryMessage));
      this.happen({ kind: "update-received", client: name, round: 1, hash: `${name} masked`, examples: 1 });
      return;
    }
    const { state, message } =
      task.step === "keys" || before === undefined
        ? openSecureClient(task.settings, name, new Uint8Array(32).fill(name.charCodeAt(0)))
        : task.step === "shares"
          ? await shareSecrets(before, task.message as RosterMessage)
          : revealShares(before, task.message as SurvivorsMessage);
    this.clients.set(name, state);
    expect(this.send(message)).toBe(true);
    expect([isTaken(this.state, message), this.send(message)]).toEqual([true, false]);
  }
}

async function upTo(stage: "keys" | "shares" | "masked" | "reveal"): Promise<SecureRound> {
  const run = new SecureRound();
  for (const client of NAMES) run.happen({ kind: "client-joined", client });
  run.settle();
  while (run.state.secure?.sum.stage !== stage) {
    for (const name of NAMES) await run.step(name);
    run.settle();
  }
  return run;
}

const tasksOf = ({ state }: SecureRound) => NAMES.map((name) => taskOfClient(plan, state, name).kind);

describe("a round with a secure sum", () => {
  it("asks for one step after another, and aggregates once a threshold has revealed its shares", async () => {
    const run = await upTo("keys");
    expect(tasksOf(run)).toEqual(["secure", "secure", "secure"]);
    await run.step("ada");
    expect(tasksOf(run)).toEqual(["wait", "secure", "secure"]);
    const masked = await upTo("masked");
    expect(tasksOf(masked)).toEqual(["train", "train", "train"]);
    const reveal = await upTo("reveal");
    expect([reveal.state.status, reveal.settle()]).toEqual(["aggregating", "wait"]);
    await reveal.step("ada");
    expect(reveal.settle()).toBe("wait");
    await reveal.step("cas");
    expect(reveal.settle()).toBe("aggregate");
    reveal.happen({ kind: "round-aggregated", round: 1, hash: "n1" });
    expect(reveal.state).toMatchObject({ status: "finished", secure: null });
  });

  it("forgets the sum of a round of which nothing came, and what is masked in it", async () => {
    const run = await upTo("reveal");
    for (const name of ["ada", "bea"]) await run.step(name);
    expect(run.settle()).toBe("aggregate");
    run.happen({ kind: "round-failed", round: 1, reason: "not finite" });
    expect(run.state).toMatchObject({ status: "waiting", secure: null, updates: [], open: null });
    // It was the only round, so that the federation came to nothing.
    expect(decide(plan, run.state, run.state.at)).toMatchObject({ kind: "fail" });
  });

  it.each(["keys", "shares", "masked", "reveal"] as const)(
    "begins again with new secrets where too few clients are left in %s",
    async (stage) => {
      const run = await upTo(stage);
      await run.step("bea");
      run.happen({ ...run.state.open, kind: "time-passed" });
      // All of the round's time passes without a word of the others.
      run.state = { ...run.state, at: run.state.at + 1001 };
      expect(run.settle()).toBe("wait");
      expect(run.state).toMatchObject({ status: "collecting", updates: [], attempts: 2 });
      expect(run.state.secure?.sum).toMatchObject({ stage: "keys", settings: { session: "attempt 2" } });
      expect(run.state.members).toMatchObject({ ada: { sent: 0 }, bea: { sent: 0 } });
      expect(tasksOf(run)).toEqual(["secure", "secure", "secure"]);
    },
  );

  it("takes no update of a client without shares, none twice, and no message of another stage", async () => {
    const run = await upTo("masked");
    await run.step("ada");
    const again = { kind: "update-received", client: "ada", round: 1, hash: "other", examples: 1 };
    expect(run.happen(again)).toBe(false);
    const late = { kind: "keys", session: "attempt 1", client: "bea", cipherKey: "", maskKey: "" } as const;
    expect(refusalOfMessage(run.state, late)).toMatch(/the next one must be "masked"/);
    const early = await upTo("shares");
    expect(early.happen({ ...again, client: "bea" })).toBe(false);
  });

  it("thresholdOf() is the share rounded up, more than half, and at most all", () => {
    const of = (threshold: number, clients: number) =>
      thresholdOf({ ...plan, secure: { ...SECURE_PLAN_DEFAULTS, threshold } }, clients);
    expect([of(2 / 3, 3), of(2 / 3, 4), of(0.51, 2), of(0.51, 100), of(1, 7)]).toEqual([2, 3, 2, 51, 7]);
    const refused = (part: object) => () => planFederation({ ...plan, ...part });
    expect(refused({ quorum: 1 })).toThrow(/the sum of one update is that update/);
    expect(refused({ late: "accept" })).toThrow(/masks cancel among the clients of one round/);
    expect(refused({ secure: { ...SECURE_PLAN_DEFAULTS, threshold: 0.5 } })).toThrow(/"secure.threshold"/);
  });
});

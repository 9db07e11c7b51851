import { describe, expect, it } from "vitest";
import { describeLogLine } from "./describe-log-line.ts";

const describeEvent = (event: Readonly<Record<string, unknown>>, level = 30): string | undefined =>
  describeLogLine(JSON.stringify({ level, time: 0, msg: event["kind"], event }))?.replace(/^\S+ /, "");

describe("describeLogLine()", () => {
  it.each([
    [{ kind: "update-received", round: 1, client: "ada" }, "round 1: update of ada"],
    [{ kind: "update-received", round: 1, client: "ada", examples: 1 }, "round 1: update of ada, 1 example"],
    [{ kind: "update-received", round: 1, client: "ada", examples: 9 }, "round 1: update of ada, 9 examples"],
    [{ kind: "round-closed", round: 2 }, "round 2 has its updates: aggregating"],
    [
      { kind: "round-aggregated", round: 2, metrics: { loss: 0.51234, accuracy: 0.9 } },
      "round 2 aggregated loss 0.5123, accuracy 0.9000",
    ],
    [{ kind: "round-aggregated", round: 2, metrics: { loss: null } }, "round 2 aggregated"],
    [
      { kind: "round-failed", round: 2, reason: "too large" },
      "round 2 failed, and the network stays: too large",
    ],
    [
      { kind: "clients-asked", round: 1, clients: ["cleo"] },
      "round 1: asked cleo too, as too few are left for the quorum",
    ],
    [
      { kind: "round-aggregated", round: 2, metrics: {}, privacy: { epsilon: 1.25 } },
      "round 2 aggregated epsilon 1.250",
    ],
    [{ kind: "client-left", client: "ada" }, "ada left"],
    [
      { kind: "client-left", client: "ada", silentSeconds: 60 },
      "ada has said nothing for 60 s: if it is training, its update counts until the deadline",
    ],
    [{ kind: "stopped", reason: "no budget" }, "the federation ends: no budget"],
    [{ kind: "secure-received", round: 1, client: "ada", message: "keys" }, "round 1: keys of ada"],
    [{ kind: "secure-closed", round: 1, stage: "keys" }, "round 1: the keys came from enough clients"],
    [
      { kind: "secure-closed", round: 1, stage: "reveal" },
      "round 1: what unmasks the sum came from enough clients",
    ],
  ])("tells %o", (event, text) => {
    expect(describeEvent(event)).toBe(text);
  });

  it("warns of a network whose loss is not finite", () => {
    const event = { kind: "round-aggregated", round: 1, metrics: {}, warning: "its loss is NaN" };
    expect(describeEvent(event, 40)).toBe("warning: round 1 aggregated: its loss is NaN");
  });
});

import { at, createCheckpoint, createTensor } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { aggregateUpdates } from "../aggregate/aggregate-updates.ts";
import { AGGREGATION_RULES } from "../rules.ts";
import { epsilonSpent } from "./accountant/privacy-ledger.ts";
import type { PrivacyDescription } from "./privacy-description.ts";
import { privatizeUpdate } from "./privatize-update.ts";

const networkOf = (a: readonly number[], b: ArrayLike<number>) =>
  createCheckpoint({
    "a.w": createTensor("f32", [a.length], Float32Array.from(a)),
    "b.w": createTensor("f32", [b.length], Float32Array.from(b)),
  });
const privacy: PrivacyDescription = {
  ...{ clip: 2, noise: 0, clients: 1, delta: 1e-5, sampling: { kind: "all" }, at: "clients" },
};
const options = { names: ["a.w", "b.w"], seed: 1, round: 1, client: "ada" };
const valuesOf = async (network: Awaited<ReturnType<typeof privatizeUpdate>>, name: string) => [
  ...((await network.read(name)).data as Float32Array),
];

describe("privatizeUpdate()", () => {
  const zero = networkOf([1, 1], [0]);

  it("privatizeUpdate() shortens the update to the bound, or each layer to its part of it", async () => {
    const update = networkOf([4, 5], [0]);
    const whole = await privatizeUpdate(zero, update, { privacy, ...options });
    expect(await valuesOf(whole, "a.w")).toEqual([Math.fround(1 + 6 / 5), Math.fround(1 + 8 / 5)]);
    const layers = await privatizeUpdate(zero, update, { privacy: { ...privacy, by: "layer" }, ...options });
    expect(at(await valuesOf(layers, "a.w"), 0)).toBeCloseTo(1 + (3 / 5) * Math.SQRT2, 6);
    const partly = await privatizeUpdate(zero, update, { privacy, ...options, names: ["b.w"] });
    expect(await valuesOf(partly, "a.w")).toEqual([4, 5]);
  });

  it("privatizeUpdate() adds noise of twice the bound, each client and round its own", async () => {
    const flat = networkOf([1, 1], new Float64Array(20_000));
    const noisy = { ...privacy, noise: 1.5 };
    const noiseOf = async (of: object) =>
      valuesOf(await privatizeUpdate(flat, flat, { privacy: noisy, ...options, ...of }), "b.w");
    const noise = await noiseOf({});
    const deviation = Math.sqrt(noise.reduce((sum, x) => sum + x * x, 0) / noise.length);
    // A standard deviation of 20,000 numbers is known to half a percent.
    expect(Math.abs(deviation / 6 - 1)).toBeLessThan(0.03);
    expect(await noiseOf({})).toEqual(noise);
    for (const other of [{ client: "bea" }, { round: 2 }]) expect(await noiseOf(other)).not.toEqual(noise);
  });

  it("aggregateUpdates() of such updates adds no noise, takes any rule, and accounts for each round", async () => {
    const updates = ["ada", "bea", "cas"].map((client, i) => ({
      ...{ client, examples: 1, network: networkOf([i, i], [9]) },
    }));
    const local = { ...privacy, noise: 4 };
    const rule = {
      of: at(
        [AGGREGATION_RULES.get("coordinate-median")].flatMap((one) => one ?? []),
        0,
      ),
    };
    const { network, report } = await aggregateUpdates(zero, updates, { privacy: local, rule });
    expect(await valuesOf(network, "a.w")).toEqual([1, 1]);
    const ledger = [{ noiseMultiplier: 4, sampling: { kind: "all" }, rounds: 1 }] as const;
    expect(report.privacy).toMatchObject({ deviation: 16, epsilon: epsilonSpent(ledger, 1e-5) });
    for (const [broken, message] of [
      [{ adaptive: {} }, /nobody counts/],
      [{ sampling: { kind: "poisson", probability: 0.1 } }, /the server sees whom it asked/],
    ] as const) {
      await expect(aggregateUpdates(zero, updates, { privacy: { ...local, ...broken } })).rejects.toThrow(
        message,
      );
    }
  });
});

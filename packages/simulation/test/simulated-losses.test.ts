import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createDataSet, openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { DataSet, NamedLoss } from "@isthmus/graph";
import {
  type FederationDescription,
  planSimulation,
  type SimulationDescription,
  simulateFederation,
} from "@isthmus/simulation";
import { summarizeRuns } from "@isthmus/simulation/summary";
import { describe, expect, test } from "vitest";

// What tools/golden/simulated-losses.py computes with PyTorch from the same first networks and clients.
const golden = JSON.parse(readFileSync(new URL("golden/simulated-losses.json", import.meta.url), "utf8")) as {
  readonly federation: Omit<FederationDescription, "data" | "evaluate">;
  readonly cases: readonly {
    readonly name: string;
    readonly loss: NamedLoss;
    readonly rounds: readonly Readonly<Record<"trainLoss" | "loss" | "accuracy", number>>[];
  }[];
};
const FIXTURES = fileURLToPath(new URL("../../../test/fixtures/losses/", import.meta.url));
const engine = createOnnxRuntimeEngine();
const openData = (name: string): Promise<DataSet> =>
  openDataSet(`safetensors:${FIXTURES}${name}.safetensors`);

const federationOf = (name: string, rest: Partial<FederationDescription> = {}): FederationDescription => ({
  ...golden.federation,
  ...{ data: name, evaluate: name },
  ...rest,
});
const simulate = (federation: FederationDescription) => simulateFederation(federation, { engine, openData });

describe("a simulation by a loss", () => {
  test.each(golden.cases)(
    "of $name by $loss is PyTorch's, round by round",
    async ({ name, loss, rounds }) => {
      const run = await simulate(federationOf(name, { loss }));
      expect(run.rounds).toHaveLength(rounds.length);
      rounds.forEach((expected, i) => {
        const { trainLoss, loss: measured, accuracy } = run.rounds[i] ?? {};
        expect(Math.abs((trainLoss ?? 0) / expected.trainLoss - 1)).toBeLessThan(1e-6);
        expect(Math.abs((measured ?? 0) / expected.loss - 1)).toBeLessThan(1e-6);
        if (expected.accuracy === undefined) expect(accuracy).toBeUndefined();
        else expect(accuracy).toBeCloseTo(expected.accuracy, 12);
      });
      expect([run.lossKind, run.lossUnit]).toEqual([
        loss,
        { "mean-squared-error": "squared units", "mean-absolute-error": "units" }[loss as string] ?? "nats",
      ]);
    },
  );

  test("takes the loss that follows from the labels, if none is named", async () => {
    const { cases } = golden;
    const [regression] = cases;
    const run = await simulate(federationOf("regression"));
    expect(run.loss).toBeCloseTo(regression?.rounds.at(-1)?.loss ?? Number.NaN, 6);
    await expect(simulate(federationOf("autoencoder"))).rejects.toThrow(
      /as it has no labels: .* mean-squared-error, which takes the input itself/,
    );
  });

  test("compares clients by their losses, of which the largest are the worst", async () => {
    const shifted = { name: "feature-shift", rotation: 0, noise: 2 };
    const run = await simulate(federationOf("regression", { partition: shifted }));
    expect(run.accuracy).toBeNaN();
    const losses = run.clients.map(({ loss }) => loss ?? Number.NaN);
    expect(run.clients.map(({ accuracy }) => accuracy)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(new Set(losses).size).toBe(3);
    expect(run.fairness.worst).toBe(Math.max(...losses));
    expect(run.rounds.at(-1)?.local).toBeCloseTo(losses.reduce((sum, loss) => sum + loss, 0) / 3, 12);
    const cell = { partition: "p", strategy: "s", attack: "none", seed: 0 };
    const [summary] = summarizeRuns({ runs: [{ ...cell, ...run }] });
    expect(summary?.score.mean).toBe(run.loss);
  });

  test("of classes by their cross-entropy is the usual one, and by squared distances it has no accuracy", async () => {
    const { inputs } = (await openData("regression")).read(0, 24);
    const labels = Int32Array.from({ length: 24 }, (_, i) => i % 2);
    const classes = createDataSet(inputs, labels, { name: "classes" });
    const ports = { engine, openData: async () => classes };
    const byClasses = await simulateFederation(federationOf("classes"), ports);
    expect(byClasses).not.toHaveProperty("lossKind");
    const named = await simulateFederation(federationOf("classes", { loss: "cross-entropy" }), ports);
    expect(named).toEqual(byClasses);
    const squared = await simulateFederation(federationOf("classes", { loss: "mean-squared-error" }), ports);
    expect([squared.lossKind, squared.rounds[0]?.accuracy]).toEqual(["mean-squared-error", undefined]);
  });
});

describe("what has no classes is refused plainly", () => {
  const plan = (rest: Partial<SimulationDescription>, federation: Partial<FederationDescription> = {}) => {
    const {
      seed: _,
      partition: __,
      strategy: ___,
      attack: ____,
      ...common
    } = federationOf("regression", federation);
    return planSimulation({ title: "t", federation: common, ...rest }, { engine: "none", openData });
  };

  test("where examples are divided by it, or it is changed", async () => {
    await expect(simulate(federationOf("regression", { partition: { name: "dirichlet" } }))).rejects.toThrow(
      /over clients by classes as each example must have one label: .*; iid and feature-shift/,
    );
    await expect(
      simulate(federationOf("regression", { attack: { name: "label-flip", attackers: 1 } })),
    ).rejects.toThrow(/Cannot attack by label-flip on .* as each example must have a class/);
  });

  test("by the loss none, when it is planned", async () => {
    await expect(plan({}, { loss: "none" })).rejects.toThrow(
      /by the loss none of graph .* something must be/,
    );
    const [named, usual] = [await plan({}, { loss: "mean-squared-error" }), await plan({})];
    expect(named.tasks[0]?.params).toMatchObject({ federation: { loss: "mean-squared-error" } });
    expect(usual.tasks[0]?.params).not.toHaveProperty("federation.loss");
    expect(named.tasks[0]?.key).not.toBe(usual.tasks[0]?.key);
  });
});

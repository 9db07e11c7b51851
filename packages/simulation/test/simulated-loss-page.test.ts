import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { NamedLoss } from "@isthmus/graph";
import {
  type FederationDescription,
  SIMULATION_RESULT,
  type SimulationResult,
  simulateFederation,
} from "@isthmus/simulation";
import { expect, test } from "vitest";

const inputs = createTensor(
  "f32",
  [24, 4],
  Float32Array.from({ length: 96 }, (_, i) => Math.sin(i)),
);
const targets = createTensor(
  "f32",
  [24, 2],
  Float32Array.from({ length: 48 }, (_, i) => Math.cos(3 * i)),
);

/** Simulates one federation on numbers, and returns it as the result of a simulation. */
async function simulated(loss?: NamedLoss): Promise<SimulationResult> {
  const federation = {
    ...{ net: "mlp:4", data: "numbers", evaluate: "numbers", clients: 3, rounds: 2 },
    ...(loss !== undefined && { loss }),
    measure: { barriers: { rounds: [1] } },
  };
  const described: FederationDescription = { ...federation, seed: 0 };
  const run = await simulateFederation(described, {
    engine: createOnnxRuntimeEngine(),
    openData: async () => createDataSet(inputs, targets, { name: "numbers" }),
  });
  const cells = ["none", "flip"].map((attack) => ({
    ...{ partition: "even", strategy: "fedavg", attack, seed: 0 },
    ...run,
  }));
  const clients = run.clients.map(({ client, examples }) => ({ client, labels: [examples] }));
  const result: SimulationResult = {
    ...{ kind: "simulation", title: "Numbers", description: "", federation, seeds: [0], engine: "cpu" },
    ...{ partitions: { even: { name: "iid" } }, strategies: { fedavg: {} } },
    attacks: { none: null, flip: { name: "sign-flip", attackers: 1 } },
    ...{ runs: cells, divisions: [{ partition: "even", seed: 0, clients }] },
  };
  return JSON.parse(JSON.stringify(result)) as SimulationResult;
}

test.each([
  [undefined, "squared units"],
  ["mean-absolute-error", "units"],
] as const)("a simulation by %s is drawn by its losses in %s, without accuracies", async (loss, unit) => {
  const result = await simulated(loss);
  expect((await SIMULATION_RESULT.form()).safeParse(result).error).toBeUndefined();
  const { data: _, ...report } = SIMULATION_RESULT.describe(result);
  const text = JSON.stringify(report);
  expect(text).not.toMatch(/accurac|nats|NaN|%|"share"|of each class/i);
  expect(text).toContain(`Loss (${unit})`);
  const tables = report.sections.flatMap((section) => section.tables);
  const columns = tables.flatMap((table) => table.columns).filter(({ kind }) => kind === "loss");
  expect(new Set(columns.map((column) => column.unit))).toEqual(new Set([unit]));
  expect(tables.map(({ name }) => name)).toEqual(["loss", "rounds", "barriers", "partitions"]);
  const rows = tables.find(({ name }) => name === "rounds")?.rows ?? [];
  expect(rows).toHaveLength(2 * 2);
  expect(rows.every(({ cells }) => cells.every((cell) => cell !== null))).toBe(true);
});

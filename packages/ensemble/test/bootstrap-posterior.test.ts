import type { Checkpoint } from "@isthmus/core";
import { type BootstrapPosteriorOptions, bootstrapPosterior, compareEnsembles } from "@isthmus/ensemble";
import { describe, expect, it } from "vitest";
import { checkpointNumbers } from "../../../test/helpers/checkpoint-numbers.ts";
import { data, smallArchitecture, testData, trained } from "./small-task.ts";

const architecture = smallArchitecture();
const prior = await trained(0);
async function draw(options: Partial<BootstrapPosteriorOptions> = {}): Promise<Checkpoint[]> {
  const networks: Checkpoint[] = [];
  const settings = { seed: 0, members: 3, epochs: 3, batch: 10, threads: 1, ...options };
  for await (const network of bootstrapPosterior(architecture, prior, data, settings)) networks.push(network);
  return networks;
}
const numbersOf = (networks: readonly Checkpoint[]) => Promise.all(networks.map(checkpointNumbers));

describe("bootstrapPosterior()", () => {
  it("draws different networks that are all good, the same for the same seed", async () => {
    const networks = await draw({ concentration: 30 });
    const numbers = await numbersOf(networks);
    expect(new Set(numbers.map((one) => JSON.stringify(one))).size).toBe(3);
    expect(await numbersOf(await draw({ concentration: 30 }))).toEqual(numbers);
    expect(await numbersOf(await draw({ concentration: 30, seed: 1 }))).not.toEqual(numbers);
    expect(await numbersOf(await draw({ concentration: 30, skip: 2 }))).toEqual(numbers.slice(2));
    const { predictors } = await compareEnsembles(architecture, networks, testData);
    for (const { accuracy } of predictors) expect(accuracy).toBeGreaterThan(0.8);
  });

  it("refuses numbers out of their range", async () => {
    await expect(draw({ members: 0 })).rejects.toThrow(/"members" must be/);
    await expect(draw({ concentration: -1 })).rejects.toThrow(
      /"concentration" must be a number of at least 0/,
    );
    await expect(draw({ epochs: 0 })).rejects.toThrow(/"epochs" must be/);
  });
});

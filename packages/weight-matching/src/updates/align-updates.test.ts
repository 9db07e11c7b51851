import { type Checkpoint, createCheckpoint, createRandom, createTensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { discoverSymmetries, permute, randomAlignment, type Symmetries } from "@isthmus/symmetry";
import { parseNetwork } from "@isthmus/zoo";
import { beforeAll, describe, expect, it } from "vitest";
import { alignUpdates } from "./align-updates.ts";

const engine = createOnnxRuntimeEngine();
const { graph, initialize } = parseNetwork("mlp:24x2", { exampleShape: [12], classes: 4 });
const architecture = { graph, engine };
const global = initialize(3);
const noisy = (seed: number) => addNoise(global, seed);

async function addNoise(network: Checkpoint, seed: number): Promise<Checkpoint> {
  const random = createRandom(seed);
  const tensors = new Map(
    await Promise.all(
      [...network.tensors].map(async ([name, { dtype, shape }]) => {
        const data = Float32Array.from(
          (await network.read(name)).data as Float32Array,
          (x) => x + 0.01 * random.normal(),
        );
        return [name, createTensor(dtype, shape, data)] as const;
      }),
    ),
  );
  return createCheckpoint(tensors);
}

describe("alignUpdates()", () => {
  let symmetries: Symmetries;
  beforeAll(async () => {
    symmetries = await discoverSymmetries(architecture);
  });
  const numbersOf = async (network: Checkpoint) =>
    (await Promise.all([...network.tensors.keys()].map((name) => network.read(name)))).flatMap(({ data }) => [
      ...(data as Float32Array),
    ]);

  it("alignUpdates() finds that clients which began with the global network are at their places", async () => {
    const network = await noisy(2);
    const sent = [{ client: "a", examples: 1, network }];
    const { updates, identity, clients } = await alignUpdates(architecture, global, sent, { symmetries });
    expect(identity).toBe(true);
    expect(clients).toEqual([{ client: "a", moved: 0, units: 48 }]);
    expect(updates[0]?.network).toBe(network);
  });

  it("alignUpdates() brings permuted clients back to the global network, and to each other", async () => {
    const networks = await Promise.all([1, 2, 3].map(noisy));
    const permuted = networks.map((network, seed) =>
      permute(randomAlignment(symmetries.spec, seed), network, symmetries.spec),
    );
    const sent = permuted.map((network, i) => ({ client: `${i}`, examples: 1 + i, network }));
    const toGlobal = await alignUpdates(architecture, global, sent, { symmetries });
    expect(toGlobal.identity).toBe(false);
    for (const [i, { network, examples }] of toGlobal.updates.entries()) {
      expect(examples).toBe(1 + i);
      expect(await numbersOf(network)).toEqual(await numbersOf(networks[i] as Checkpoint));
    }
    const together = await alignUpdates(architecture, global, sent, { symmetries, to: "each-other" });
    // All are in the coordinates of one client, so that they differ by noise alone.
    const [first, ...others] = await Promise.all(together.updates.map(({ network }) => numbersOf(network)));
    for (const other of others) {
      expect(Math.max(...other.map((x, i) => Math.abs(x - (first?.[i] as number))))).toBeLessThan(0.1);
    }
  });

  it("alignUpdates() names what units can be matched to if it is asked for something else", async () => {
    const to = "each other" as "each-other";
    await expect(alignUpdates(architecture, global, [], { symmetries, to })).rejects.toThrow(
      'as "to" must be one of global, each-other: it is "each other"',
    );
  });

  it("alignUpdates() names a client's network that does not fit", async () => {
    const sent = [{ client: "a", examples: 1, network: createCheckpoint({}) }];
    await expect(alignUpdates(architecture, global, sent, { symmetries })).rejects.toThrow(/same names/);
  });
});

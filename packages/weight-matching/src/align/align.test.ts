import { type Checkpoint, composeCheckpoint, createCheckpoint, InputError } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindNetworks, randomWeights, restrictOutputs } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { mlp } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../../test/helpers/graph-builder.ts";
import { alignMany } from "../many/align-many.ts";
import { align } from "./align.ts";

const network = mlp({ widths: [12, 12] }, { exampleShape: [6], classes: 3 });
const architecture = { graph: network.graph, engine: createOnnxRuntimeEngine() };
const a = network.initialize(0);

const shuffled = async (seed: number) => {
  const { spec } = await discoverSymmetries(architecture);
  return permute(randomAlignment(spec, seed), a, spec);
};

describe("align()", () => {
  test("brings shuffled copies back, proves each, and says how far it is", async () => {
    const phases: [string, number, number][] = [];
    const { networks, aligned, symmetries } = await align(
      architecture,
      [a, await shuffled(1), await shuffled(2)],
      { seed: 0, onProgress: ({ phase, network: i, done }) => phases.push([phase, i, done]) },
    );
    expect(symmetries.spec.symmetries.map(({ size }) => size)).toEqual([12, 12]);
    expect(networks[0]).toBe(a);
    for (const other of networks.slice(1)) {
      for (const name of a.tensors.keys()) expect(await other.read(name)).toEqual(await a.read(name));
    }
    for (const { summary } of aligned) {
      expect(summary.verified).toMatchObject({ passed: true, narrowed: false });
      expect(summary.verified.maxRelativeError).toBeLessThan(1e-5);
    }
    const shares = phases.map(([, , done]) => done);
    expect(shares).toEqual([...shares].sort((x, y) => x - y));
    expect([shares[0], shares.at(-1)]).toEqual([0, 1]);
    expect([...new Set(phases.map(([phase, i]) => `${phase} ${i}`))]).toEqual(
      "discovering 0,matching 1,verifying 1,matching 2,verifying 2".split(","),
    );
  });

  test("gives networks that were bound to the graph the names of their own checkpoints again", async () => {
    const places = [...a.tensors.keys()].map((name) => [`module.${name}`, { checkpoint: a, name }] as const);
    const wrapped = composeCheckpoint(new Map(places), { source: "wrapped" });
    const { graph, networks } = await bindNetworks({ graph: network.graph, weights: new Map() }, [
      wrapped,
      await shuffled(3),
    ]);
    const { networks: aligned } = await align({ ...architecture, graph }, networks, { seed: 0 });
    expect([...(aligned[0]?.tensors.keys() ?? [])]).toEqual([...wrapped.tensors.keys()]);
    for (const name of a.tensors.keys()) expect(await aligned[1]?.read(name)).toEqual(await a.read(name));
  });

  test("says why nothing moves, and which output would have to be left out", async () => {
    const b = new GraphBuilder();
    const features = b.op("Relu", [b.linear(b.input("x", [4]), "body", 4, 8)]);
    const logits = b.linear(features, "head", 8, 3);
    const graph = b.output(features).output(logits).build("two outputs");
    const [one, two] = [0, 1].map((seed) => createCheckpoint(randomWeights(graph, seed))) as [
      Checkpoint,
      Checkpoint,
    ];
    const notes: string[] = [];
    const options = { seed: 0, onNote: (text: string) => notes.push(text) };
    const engine = createOnnxRuntimeEngine();
    await align({ graph, engine }, [one, two], options);
    await alignMany({ graph, engine }, [one, two], options);
    const said = `Nothing can be permuted, as output ${features} must keep the order of units; if only ${logits} counts, say so by --outputs ${logits}`;
    expect(notes).toEqual([expect.stringContaining(said), expect.stringContaining(said)]);
    const counted = { graph: restrictOutputs(graph, [logits]), engine };
    const { networks, aligned } = await align(counted, [one, two], options);
    expect(notes).toHaveLength(2);
    expect(aligned[0]?.summary.verified.passed).toBe(true);
    expect(await networks[1]?.read("head.weight")).not.toEqual(await two.read("head.weight"));
    const only = { graph: restrictOutputs(graph, [features]), engine };
    await align(only, [one, two], options);
    expect(notes[2]).toMatch(/^Nothing can be permuted, as .* stays: .*; isthmus symmetry lists/);
  });

  test("refuses fewer than two networks, and one that does not fit", async () => {
    await expect(align(architecture, [a], { seed: 0 })).rejects.toThrow(InputError);
    const wide = mlp({ widths: [13, 12] }, { exampleShape: [6], classes: 3 }).initialize(0);
    await expect(align(architecture, [a, wide], { seed: 0 })).rejects.toThrow(/Cannot/);
  });
});

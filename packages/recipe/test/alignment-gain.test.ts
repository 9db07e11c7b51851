import { openCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindArchitecture, readGraph } from "@isthmus/graph";
import { compareNetworks, judgeMerge } from "@isthmus/recipe";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { expect, test } from "vitest";

const EXAMPLE = "examples/mnist-mlp";

test("compareNetworks() measures what alignment changes about strangers, and about a permuted copy", async () => {
  const engine = createOnnxRuntimeEngine();
  const { graph, weights: carried } = await readGraph(`${EXAMPLE}/graph.onnx`);
  const read = { graph, carried, engine };
  const a = await openCheckpoint(`${EXAMPLE}/s0.safetensors`);
  const b = await openCheckpoint(`${EXAMPLE}/s1.safetensors`);
  const { spec } = await discoverSymmetries(read);
  const copy = permute(randomAlignment(spec, 1), a, spec);
  const networks = [a, b, copy];
  const architecture = await bindArchitecture(read, networks);
  const comparison = await compareNetworks(networks, { architecture });
  const [strangers, copies] = comparison.pairs.map(({ alignment }) => alignment);
  expect(strangers?.before).toBeCloseTo(1.41, 2);
  expect(strangers?.gain).toBeGreaterThan(0.1);
  expect(strangers?.gain).toBeLessThan(0.3);
  expect(copies?.before).toBeGreaterThan(1);
  expect(copies?.after).toBe(0);
  const { verdict, pairs } = judgeMerge(comparison);
  expect(verdict).toBe("different seed");
  expect(pairs.map((pair) => pair.verdict)).toEqual(["different seed", "permuted copy", "different seed"]);
  expect(pairs[0]?.evidence).toMatch(/aligned 1\.2 \(14 % nearer\)/);
  await Promise.all([a.close(), b.close()]);
});

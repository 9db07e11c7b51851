import { fileURLToPath } from "node:url";
import { withCheckpoints } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { readGraph } from "@isthmus/graph";
import {
  discoverSymmetries,
  encodeAlignment,
  permute,
  permuteByAlignment,
  randomAlignment,
} from "@isthmus/symmetry";
import { expect, test } from "vitest";

const pathOf = (name: string) =>
  fileURLToPath(new URL(`../../../examples/mnist-mlp/${name}`, import.meta.url));

test("permuteByAlignment() permutes by JSON as permute() does by the alignment, and refuses other JSON", async () => {
  const { graph } = await readGraph(pathOf("graph.onnx"));
  const architecture = { graph, engine: createOnnxRuntimeEngine() };
  const { spec } = await discoverSymmetries(architecture);
  const alignment = randomAlignment(spec, 3);
  const json: unknown = JSON.parse(JSON.stringify(encodeAlignment(spec, alignment)));
  await withCheckpoints([pathOf("s0.safetensors")], async ([network]) => {
    const permuted = await permuteByAlignment(architecture, network, json);
    const expected = permute(alignment, network, spec);
    for (const name of network.tensors.keys())
      expect(await permuted.read(name)).toEqual(await expected.read(name));
    await expect(permuteByAlignment(architecture, network, { ...Object(json), version: 2 })).rejects.toThrow(
      "version",
    );
  });
});

import { join } from "node:path";
import { readJsonFile } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, readGraph } from "@isthmus/graph";
import {
  decodeAlignment,
  discoverSymmetries,
  encodeAlignment,
  encodeSpec,
  randomAlignment,
  type SymmetrySpec,
} from "@isthmus/symmetry";
import { readSpec } from "../../../packages/cli/src/open/read-spec.ts";
import { deepen } from "../bombs.ts";
import { pathOf } from "../fixtures.ts";
import { mutateJson, writeJson } from "../mutate/mutate-json.ts";
import type { FuzzTarget } from "../target.ts";

async function networkSpec(): Promise<{ readonly graph: Graph; readonly spec: SymmetrySpec }> {
  const { graph } = await readGraph(pathOf("test/fixtures/mnist-mlp/graph.onnx"));
  const { spec } = await discoverSymmetries({ graph, engine: createOnnxRuntimeEngine() });
  return { graph, spec };
}

/** Makes files of alignments of a small network with other permutations and members. */
export async function createAlignmentTarget(): Promise<FuzzTarget> {
  const { spec } = await networkSpec();
  const alignment = JSON.parse(JSON.stringify(encodeAlignment(spec, randomAlignment(spec, 1)))) as object;
  return createJsonTarget({ name: "alignment", document: alignment }, async (path) => {
    decodeAlignment(spec, await readJsonFile(path));
  });
}

/** Makes files of symmetries of a small network with other tensors, axes and sizes. */
export async function createSpecTarget(): Promise<FuzzTarget> {
  const { graph, spec } = await networkSpec();
  const document = JSON.parse(JSON.stringify(encodeSpec(spec))) as object;
  return createJsonTarget({ name: "symmetry spec", document }, async (path) => {
    const read = await readSpec(path, graph);
    encodeSpec(read);
    randomAlignment(read, 1);
  });
}

interface JsonSeed {
  readonly name: string;
  readonly document: object;
}

/** Makes a target of one JSON file that is changed in its values and in its text. */
export function createJsonTarget(
  { name, document }: JsonSeed,
  read: (path: string) => Promise<void>,
): FuzzTarget {
  return {
    name,
    valid: () => [{ "x.json": JSON.stringify(document) }],
    *bombs() {
      for (const text of deepen(document)) yield { "x.json": text };
    },
    make: (dice) => ({ "x.json": writeJson(dice, mutateJson(dice, document)) }),
    read: (folder) => read(join(folder, "x.json")),
  };
}

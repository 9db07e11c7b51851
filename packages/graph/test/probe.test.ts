import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { allocateData, sizeOf, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, probeGraph, readGraph } from "@isthmus/graph";
import { expect, test } from "vitest";
import { randomGraph } from "../../../test/helpers/random-graph.ts";
import { randomImageGraph } from "../../../test/helpers/random-image-graph.ts";
import { streamNetwork } from "../../../test/helpers/stream-networks.ts";
import { randomInputs } from "../src/probe/random-inputs.ts";
import { runAll } from "../src/probe/run-all.ts";

const engine = createOnnxRuntimeEngine();
const FOLDER = fileURLToPath(new URL("../../../test/fixtures/exported-networks/", import.meta.url));

/** Checks that a probe shows the type of each value that a run of the whole graph computes. */
async function expectTypesOfRun(graph: Graph): Promise<void> {
  const { types: _, ...untyped } = graph;
  const zeros = [...graph.weights].map(([name, { dtype, shape }]): [string, Tensor] => [
    name,
    { dtype, shape, data: allocateData(dtype, sizeOf(shape)) },
  ]);
  const inputs = randomInputs(graph, 2, 0, {});
  const whole = await runAll(untyped, engine, new Map([...inputs, ...zeros]));
  const probe = await probeGraph({ graph: untyped, engine });
  for (const [name, { dtype, shape }] of whole) {
    expect(probe.types.get(name), `${graph.name}: ${name}`).toEqual({ dtype, shape });
  }
  for (const [name, tensor] of probe.constants) expect(tensor).toEqual(whole.get(name));
}

test("probeGraph() shows the types of a run, though it leaves products out", async () => {
  for (let seed = 0; seed < 20; seed++) {
    await expectTypesOfRun(randomGraph(seed, 10));
    await expectTypesOfRun(randomImageGraph(seed, 8));
  }
  await expectTypesOfRun(streamNetwork("layer"));
});

test("probeGraph() shows the types of a run of exported networks", async () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".onnx"));
  expect(files.length).toBeGreaterThan(4);
  for (const file of files) {
    const { graph } = await readGraph(`${FOLDER}${file}`);
    await expectTypesOfRun(graph);
  }
});

import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, probeGraph, readGraph } from "@isthmus/graph";
import { expect, test } from "vitest";
import { randomGraph } from "../../../test/helpers/random-graph.ts";
import { randomImageGraph } from "../../../test/helpers/random-image-graph.ts";
import { streamNetwork } from "../../../test/helpers/stream-networks.ts";
import { runAll } from "../src/probe/probe-graph.ts";
import { randomInputs } from "../src/probe/random-inputs.ts";

const engine = createOnnxRuntimeEngine();
const FOLDER = fileURLToPath(new URL("../../../test/fixtures/exported-networks/", import.meta.url));

/** Checks that a probe shows the type of each value that a run of the whole graph computes. */
async function expectTypesOfRun(graph: Graph): Promise<void> {
  const { types: _, ...untyped } = graph;
  const zeros = [...graph.weights].map(([name, { dtype, shape }]) => {
    const count = shape.reduce((product, extent) => product * extent, 1);
    return [
      name,
      { dtype, shape, data: dtype === "i64" ? new BigInt64Array(count) : new Float32Array(count) },
    ] as const;
  });
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
    if ([...graph.weights.values()].every(({ dtype }) => dtype === "f32" || dtype === "i64")) {
      await expectTypesOfRun(graph);
    }
  }
});

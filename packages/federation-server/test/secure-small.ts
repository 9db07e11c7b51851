import { join } from "node:path";
import { createTensor, saveCheckpoint, saveFile } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { SECURE_PLAN_DEFAULTS } from "@isthmus/federated";
import { type JoinFederationOptions, joinFederation } from "@isthmus/federation-server/client";
import { encodeGraph } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import { makeFederation, type SmallFederation, type SmallOptions } from "./small-federation.ts";

/** Makes a small federation whose updates are masked, with a graph that clients train. */
export async function makeSecure(options: SmallOptions = {}): Promise<SmallFederation> {
  const plan = { rounds: 1, quorum: 2, available: 3, secure: SECURE_PLAN_DEFAULTS, ...options.plan };
  const small = await makeFederation({ ...options, plan });
  const { graph, initialize } = parseNetwork("mlp:8", { exampleShape: [4], classes: 2 });
  await saveCheckpoint(initialize(0), small.config.network, { overwrite: true });
  const graphPath = join(small.folder, "graph.onnx");
  await saveFile(graphPath, encodeGraph(graph));
  return { ...small, config: { ...small.config, graph: graphPath } };
}

/** Lets a client of a few examples, another number for each, take part. */
export function joinAs(
  { tokens, folder }: SmallFederation,
  url: string,
  name: string,
  options: Partial<JoinFederationOptions> = {},
) {
  const size = 40 + name.charCodeAt(0);
  const inputs = Float32Array.from({ length: 4 * size }, (_, i) => Math.sin(i * (size % 7)));
  const labels = Int32Array.from({ length: size }, (_, i) => i % 2);
  return joinFederation(url, {
    token: tokens.get(name) as string,
    data: createDataSet(createTensor("f32", [size, 4], inputs), createTensor("i32", [size], labels), {
      name,
    }),
    engine: createOnnxRuntimeEngine(),
    folder: join(folder, name),
    training: { epochs: 2, batch: 20 },
    ...options,
  });
}

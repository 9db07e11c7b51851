import { type Checkpoint, createCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Architecture, bindWeights, type DataSet, type Graph, randomWeights } from "@isthmus/graph";
import { train } from "@isthmus/training";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { batchNorm } from "../../../test/helpers/small-networks.ts";
import { stripes } from "../../../test/helpers/stripes.ts";

const engine = createOnnxRuntimeEngine();

/** Examples that small networks are trained on, and others of the same kind. */
export const data: DataSet = stripes(60);
export const testData: DataSet = stripes(40, 1);

/** Linear layers with relu and a batch norm if asked for, for images of `stripes`. */
function smallNetwork(norm = false): Graph {
  const b = new GraphBuilder(17);
  const x = b.linear(b.reshape(b.input("x", [1, 4, 4]), 0, 16), "l0", 16, 8);
  return b.output(b.linear(b.op("Relu", [norm ? batchNorm(b, x, "norm", 8) : x]), "l1", 8, 3)).build("small");
}

/** Returns the architecture of small networks. */
export const smallArchitecture = (norm = false): Architecture => ({ graph: smallNetwork(norm), engine });

/** Trains a small network on stripes. */
export async function trained(seed: number, graph: Graph = smallNetwork()): Promise<Checkpoint> {
  const { weights } = await train({ graph, engine }, createCheckpoint(randomWeights(graph, seed)), data, {
    seed,
    epochs: 8,
    batch: 12,
    threads: 1,
    schedule: { kind: "cosine", learningRate: 0.1 },
  });
  return createCheckpoint(await bindWeights(graph, weights), {}, `network ${seed}`);
}

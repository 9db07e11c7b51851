import { join } from "node:path";
import { createFolder, saveFile } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { type DataSet, type Engine, encodeGraph } from "@isthmus/graph";
import { type TrainResult, train } from "@isthmus/training";
import { type Network, parseNetwork } from "@isthmus/zoo";
import { saveMade } from "../making/save-made.ts";
import { formatPace } from "../training/format-training.ts";
import type { Context } from "../verb.ts";

/** Options of the training of the demo's two networks. */
export interface PairOptions {
  /** Folder for the files; created if it is missing. */
  readonly output: string;
  /** Short string of the architecture, such as `mlp:64`. */
  readonly net: string;
  /** Number of times that each network sees each example. */
  readonly epochs: number;
  /** Seed of A; the seed of B is one more. */
  readonly seed: number;
}

/** Two networks of one architecture, trained from two seeds. */
export interface TrainedPair {
  /** File of the graph that both networks share, in the folder of the pair. */
  readonly graph: string;
  /** The short string of the architecture. */
  readonly net: string;
  /** Files of A and B. */
  readonly checkpoints: readonly [string, string];
  /** Results of the trainings of A and B: losses, errors and steps. */
  readonly results: readonly [TrainResult, TrainResult];
}

/** Trains two networks on handwritten digits, and saves them with their graph. */
export async function trainPair(
  options: PairOptions,
  { engine, evaluationData }: { readonly engine: Engine; readonly evaluationData: DataSet },
  context: Context,
): Promise<TrainedPair> {
  const { output, seed } = options;
  context.progress("Reading the data");
  const data = await openDataSet("mnist:train");
  const network = parseNetwork(options.net, data);
  await createFolder(output);
  const graph = join(output, "graph.onnx");
  await saveFile(graph, encodeGraph(network.graph));
  const trainOne = (name: string, networkSeed: number) =>
    trainAndSave({ network, engine, data, evaluationData }, { ...options, seed: networkSeed, name }, context);
  const a = await trainOne("a", seed);
  const b = await trainOne("b", seed + 1);
  return { graph, net: network.spec, checkpoints: [a.path, b.path], results: [a.result, b.result] };
}

async function trainAndSave(
  parts: {
    readonly network: Network;
    readonly engine: Engine;
    readonly data: DataSet;
    readonly evaluationData: DataSet;
  },
  { output, name, epochs, seed }: PairOptions & { readonly name: string },
  { signal, progress, maker }: Context,
): Promise<{ readonly path: string; readonly result: TrainResult }> {
  const { network } = parts;
  const { weights, result } = await train(
    { graph: network.graph, engine: parts.engine },
    network.initialize(seed),
    parts.data,
    {
      evaluationData: parts.evaluationData,
      seed,
      epochs,
      signal,
      onProgress: (at) =>
        progress(`Training ${name.toUpperCase()} from seed ${seed}`, at.step / at.steps, () =>
          formatPace(at),
        ),
    },
  );
  const path = join(output, `${name}.safetensors`);
  const made = { verb: "demo", from: [], options: { network: network.spec, epochs, seed } };
  await saveMade(weights, path, made, { maker, signal });
  return { path, result };
}

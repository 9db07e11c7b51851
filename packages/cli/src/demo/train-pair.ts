import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createFolder, describeMaking, saveCheckpoint, saveFile } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { type DataSet, type Engine, encodeGraph } from "@isthmus/graph";
import { type TrainProgress, type TrainResult, train } from "@isthmus/training";
import { type Network, parseNetwork } from "@isthmus/zoo";
import { formatPace } from "../training/format-training.ts";
import type { Context } from "../verb.ts";

/** How the two networks of the demo are trained. */
export interface PairOptions {
  /** Folder for the files; created if it is missing. */
  readonly output: string;
  readonly net: string;
  readonly epochs: number;
  /** Seed of A; the seed of B is one more. */
  readonly seed: number;
}

/** Two networks of one architecture, trained from two seeds. */
export interface TrainedPair {
  readonly graph: string;
  /** The short string of the architecture. */
  readonly net: string;
  /** Files of A and B. */
  readonly checkpoints: readonly [string, string];
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
  // Small networks keep one core busy better than many, so that both are trained side by side.
  const parts = {
    network,
    engine: withThreads(engine, Math.ceil(availableParallelism() / 2)),
    data,
    evaluationData,
  };
  const follow = followBoth(`Training A and B from seeds ${seed} and ${seed + 1}`, context);
  const [a, b] = await Promise.all([
    trainAndSave(parts, { ...options, name: "a", onProgress: follow.a }, context),
    trainAndSave(parts, { ...options, seed: seed + 1, name: "b", onProgress: follow.b }, context),
  ]);
  return { graph, net: network.spec, checkpoints: [a.path, b.path], results: [a.result, b.result] };
}

/** Returns an engine that runs every graph on so many threads. */
function withThreads(engine: Engine, threads: number): Engine {
  return { ...engine, load: (graph, options) => engine.load(graph, { ...options, threads }) };
}

/** Shows the progress of two trainings as one: what both have done, and the pace of A. */
function followBoth(title: string, { progress }: Context) {
  const done = { a: 0, b: 0 };
  let pace = "";
  const show = (): void => progress(title, (done.a + done.b) / 2, () => pace);
  return {
    a(at: TrainProgress): void {
      done.a = at.done;
      pace = formatPace(at);
      show();
    },
    b(at: TrainProgress): void {
      done.b = at.done;
      show();
    },
  };
}

async function trainAndSave(
  parts: {
    readonly network: Network;
    readonly engine: Engine;
    readonly data: DataSet;
    readonly evaluationData: DataSet;
  },
  {
    output,
    name,
    epochs,
    seed,
    onProgress,
  }: PairOptions & { readonly name: string; readonly onProgress: (progress: TrainProgress) => void },
  { signal, version }: Context,
): Promise<{ readonly path: string; readonly result: TrainResult }> {
  const { network } = parts;
  const { weights, result } = await train(
    { graph: network.graph, engine: parts.engine },
    network.initialize(seed),
    parts.data,
    { evaluationData: parts.evaluationData, seed, epochs, signal, onProgress },
  );
  const path = join(output, `${name}.safetensors`);
  await saveCheckpoint(weights, path, {
    metadata: describeMaking([], { verb: "demo", version, network: network.spec, epochs, seed }),
    overwrite: true,
    signal,
  });
  return { path, result };
}

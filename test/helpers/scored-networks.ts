import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Checkpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import {
  bindNetworks,
  type DataSet,
  type Graph,
  type Loss,
  type LossesOfOutputs,
  readGraph,
} from "@isthmus/graph";
import { openFilesOf } from "./open-files.ts";

// Files that test/golden/generate-losses.py wrote, with what PyTorch computes.
const FOLDER = fileURLToPath(new URL("../fixtures/losses/", import.meta.url));
const openFile = openFilesOf(FOLDER);

/** Losses, errors and a gradient that PyTorch computes for a network and a kind of loss. */
export interface ScoredNetwork {
  /** Mean losses of the first network, of the mean of both, and of the second. */
  readonly losses: readonly number[];
  /** Errors of the same networks; absent if the loss has none. */
  readonly errors?: readonly number[];
  /** Gradient for the last bias of the first network. */
  readonly gradient: readonly number[];
}

/** Values of PyTorch, by network and kind of loss. */
export const SCORED_NETWORKS = JSON.parse(readFileSync(`${FOLDER}losses.json`, "utf8")) as Readonly<
  Record<string, ScoredNetwork>
>;

/** Losses of a network with outputs for labels and for numbers. */
export const LOSSES_OF_HEADS: LossesOfOutputs = {
  labels: "binary-cross-entropy",
  numbers: { loss: "mean-squared-error" },
};

/** Networks, PyTorch's loss, and the loss that is named; undefined if it follows from the labels. */
const CASES: readonly (readonly [network: string, kind: string, loss: Loss | undefined])[] = [
  ["sigmoid", "binary-cross-entropy", undefined],
  ["one-logit", "binary-cross-entropy", undefined],
  ["autoencoder", "mean-squared-error", "mean-squared-error"],
  ["regression", "mean-squared-error", undefined],
  ["regression", "mean-absolute-error", "mean-absolute-error"],
  ["segmentation", "cross-entropy", undefined],
  ["segmentation-softmax", "cross-entropy", undefined],
  ["encoder", "masked-token", "masked-token"],
  ["heads", "several", LOSSES_OF_HEADS],
];

/** Every case as both exporters of PyTorch write it. */
export const SCORED_CASES: readonly (readonly [
  network: string,
  exporter: string,
  kind: string,
  loss: Loss | undefined,
])[] = CASES.flatMap(([name, kind, loss]) =>
  ["dynamo", "legacy"].map((exporter) => [name, exporter, kind, loss] as const),
);

/** A graph, two networks of it and their data. */
export interface ScoredFiles {
  readonly graph: Graph;
  readonly networks: readonly [Checkpoint, Checkpoint];
  readonly data: DataSet;
}

/** Opens the files of a network as an exporter wrote its graph. */
export async function openScored(name: string, exporter: string): Promise<ScoredFiles> {
  const both = [await openFile(`${name}-a.safetensors`), await openFile(`${name}-b.safetensors`)];
  const { graph, networks } = await bindNetworks(await readGraph(`${FOLDER}${name}-${exporter}.onnx`), both);
  const [a, b] = networks.map(({ network }) => network);
  if (a === undefined || b === undefined) throw new Error("two networks were bound");
  const outputs = graph.outputs.map((output) => output.name);
  const data = await openDataSet(`safetensors:${FOLDER}${name}.safetensors`, { outputs });
  return { graph, networks: [a, b], data };
}

// Work that is done in Node.js and in a page alike: what both return must be the same.

import { BARRIER_RESULT } from "@isthmus/barrier";
import {
  type Checkpoint,
  createCheckpoint,
  createTensor,
  digestFile,
  openCheckpoint,
  readFileRangeSync,
  saveCheckpoint,
  saveFile,
  viewBytes,
  withCheckpoints,
} from "@isthmus/core";
import type { Engine } from "@isthmus/graph";
import { linear, planMerge, type SaveMergeResult, saveMerge } from "@isthmus/merging";
import { createHash, encodeBase64, readdir } from "@isthmus/platform";
import { compareNetworks } from "@isthmus/recipe";
import { renderFigure } from "@isthmus/report/figure";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { randomNetwork } from "../../../../test/helpers/random-network.ts";
import { smallCnn } from "../../../../test/helpers/small-networks.ts";

/** Describes a checkpoint: names, types, shapes and values of its tensors. */
export async function describeFile(path: string): Promise<readonly string[]> {
  await using checkpoint = await openCheckpoint(path);
  const lines: string[] = [];
  for (const [name, { dtype, shape }] of checkpoint.tensors) {
    const { data } = await checkpoint.read(name);
    const digest = createHash("sha256").update(viewBytes(data)).digest("hex").slice(0, 8);
    lines.push(`${name} ${dtype} [${shape.join(", ")}] ${digest}`);
  }
  return lines;
}

/** Reads some elements of one tensor of a file. */
export async function readElements(path: string, name: string, begin: number): Promise<readonly number[]> {
  await using checkpoint = await openCheckpoint(path);
  return Array.from(await checkpoint.readRange(name, begin, begin + 4), Number);
}

/** Reads bytes at once, as the names in a graph are. */
export const readAtOnce = (path: string, begin: number, length: number): string =>
  encodeBase64(readFileRangeSync(path, begin, length));

/** Saves a random network. */
export async function saveRandom(seed: number, path: string): Promise<string> {
  await saveCheckpoint(randomNetwork(smallCnn(), seed), path, { overwrite: true });
  return digestFile(path);
}

/** Merges two files to a third, by `saveCheckpoint` and by the executor of large merges. */
export async function saveMean(inputs: readonly string[], path: string): Promise<readonly string[]> {
  return withCheckpoints(inputs, async (networks) => {
    const plan = planMerge(networks, { method: linear, parameters: { weight: [0.3, 0.7] } });
    await saveMerge(plan, path, { overwrite: true, hashInputs: true, pieceBytes: 256, durable: true });
    return [await digestFile(path)];
  });
}

/** Merges files as a command does, and tells what it took. */
export const mergeLarge = (inputs: readonly string[], path: string): Promise<SaveMergeResult> =>
  withCheckpoints(inputs, (networks) => saveMerge(planMerge(networks, { method: linear }), path));

/** Permutes a file by a random alignment. */
export async function savePermuted(engine: Engine, input: string, path: string): Promise<string> {
  const { spec } = await discoverSymmetries({ graph: smallCnn(), engine });
  await using network = await openCheckpoint(input);
  await saveCheckpoint(permute(randomAlignment(spec, 4), network, spec), path, { overwrite: true });
  return digestFile(path);
}

/** Compares two files. */
export const compareFiles = (inputs: readonly string[]): Promise<string> =>
  withCheckpoints(inputs, async (networks) => JSON.stringify(await compareNetworks(networks)));

/** Saves so many bytes. */
export const saveBytes = (path: string, bytes: number): Promise<void> =>
  saveFile(path, new Uint8Array(bytes));

/** Draws the first figure of a barrier. */
export async function drawBarrier(): Promise<string> {
  const values = { chord: 1.4, meanOfEndpoints: 1.4, maxEndpoint: 1.4, midpoint: 1.4, at: 0.5 };
  const points = [0, 0.25, 0.5, 0.75, 1].map((t) => ({ t, loss: 0.1 + t * (1 - t), error: 0.02 }));
  const about = {
    data: "mnist:test",
    examples: 100,
    path: "linear",
    statistics: "keep",
    engine: "some",
  } as const;
  const { sections } = await BARRIER_RESULT.describe({
    kind: "barrier",
    points,
    barrier: { loss: values, error: values },
    a: "<a>.pt",
    b: "b & c.pt",
    ...about,
  });
  const [figure] = sections.flatMap(({ figures }) => figures);
  return figure === undefined ? "" : (await renderFigure(figure, { theme: "dark" })).svg;
}

/** Lists a folder. */
export const listFolder = async (path: string): Promise<readonly string[]> => (await readdir(path)).sort();

/** Begins to save a network whose second tensor is never read to its end. */
export async function saveWithoutEnd(path: string): Promise<void> {
  const data = new Float32Array(2 ** 20);
  const whole = createCheckpoint(
    new Map(["a", "b"].map((name) => [name, createTensor("f32", [data.length], data)] as const)),
  );
  const endless: Checkpoint = {
    ...whole,
    readRangeInto: (name, begin, out) =>
      name === "a" ? whole.readRangeInto(name, begin, out) : new Promise(() => {}),
  };
  await saveCheckpoint(endless, path);
}

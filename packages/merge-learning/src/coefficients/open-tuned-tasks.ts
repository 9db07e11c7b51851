import { type Checkpoint, openCheckpoint } from "@isthmus/core";
import type { Engine, UnreadPolicy } from "@isthmus/graph";
import { isRecipeFile, type ModelReference, type Recipe, splitReference } from "@isthmus/recipe";
import {
  dataContext,
  type ExamplesReading,
  fitToData,
  type OpenArchitectureOptions,
  openExamples,
  openSharedArchitecture,
} from "@isthmus/zoo";
import { readNetworkValue, valuesOfNetworks } from "../values-of-networks.ts";
import type { TunedTask } from "./bind-task.ts";
import { listWeighted } from "./recipe-weights.ts";

/** Names of the data sets and graphs of a tuning, and how they are read. */
export interface TunedTaskNames extends OpenArchitectureOptions, ExamplesReading {
  /**
   * Names of the data sets by which weights are learned, each for the network at its place in the recipe, or
   * for the one whose name stands before `=`, as in `code=text:code.txt`.
   */
  readonly data: readonly string[];
  /** Names of the data sets on which the merge is measured. @defaultValue `data` */
  readonly evalData?: readonly string[] | undefined;
  /**
   * Files of the graphs: one for all data sets, or one for each, in place or by name.
   * @defaultValue from the config.json of the base, or of the first network
   */
  readonly graph?: readonly string[] | undefined;
  /** Checkpoint that the graphs were exported from. @defaultValue looked for among the networks */
  readonly exportedFrom?: string | undefined;
  /** Policy for tensors that a graph does not read. @defaultValue "keep" */
  readonly unread?: UnreadPolicy | undefined;
}

/** Opened tasks of a tuning. */
export interface OpenedTunedTasks {
  /** The tasks, in the order of the data. */
  readonly tasks: readonly TunedTask[];
  /** Closes the checkpoint that the graphs were exported from. */
  close(): Promise<void>;
}

/**
 * Opens the data sets of a tuning, and the graphs that are run on them.
 * @throws UsageError if there is neither one graph nor one for each data set
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { openTunedTasks } from "@isthmus/merge-learning";
 * import { parseRecipe } from "@isthmus/recipe";
 *
 * const recipe = parseRecipe(`
 * merge_method: linear
 * models:
 *   - model: examples/mnist-mlp/s0.safetensors
 *   - model: examples/mnist-mlp/s1.safetensors
 * `);
 * const names = { data: ["mnist:train@50"], graph: ["examples/mnist-mlp/graph.onnx"] };
 * const { tasks, close } = await openTunedTasks(recipe, names, createOnnxRuntimeEngine());
 * assert.equal(tasks[0]?.data.size, 50);
 * await close();
 * ```
 */
export async function openTunedTasks(
  recipe: Recipe,
  { data, evalData, graph, exportedFrom, unread, scaling, onOpen, ...architecture }: TunedTaskNames,
  engine: Engine,
): Promise<OpenedTunedTasks> {
  const networks = listWeighted(recipe).map(({ name }) => name);
  const takers = { what: "data sets", count: data.length };
  const findIn = (option: string, values: readonly string[] = []) =>
    valuesOfNetworks("learn the weights of a merge", { option, values, networks, takers });
  const [graphOf, evaluatedOf] = [findIn("--graph", graph), findIn("--eval-data", evalData)];
  const folder = await folderOf(recipe);
  const source: Checkpoint | undefined =
    exportedFrom === undefined ? undefined : await openCheckpoint(exportedFrom);
  const tasks: TunedTask[] = [];
  for (const [i, named] of data.entries()) {
    const { network: expert, value: name } = readNetworkValue(named, networks);
    const path = graphOf(i, expert);
    const read = await openSharedArchitecture([folder], engine, { ...architecture, graph: path });
    const reading = { scaling, onOpen };
    const examples = await openExamples(name, dataContext(read), reading);
    const measured = evaluatedOf(i, expert);
    tasks.push({
      architecture: fitToData(read, examples),
      data: examples,
      evaluationData:
        measured === undefined ? undefined : await openExamples(measured, dataContext(read), reading),
      expert,
      exportedFrom: source,
      unread,
    });
  }
  return { tasks, close: async () => source?.close() };
}

/** Returns the path of the base, or of the first network of a recipe that has one. */
async function folderOf({ base_model: base, models = [] }: Recipe): Promise<string> {
  const references: (ModelReference | undefined)[] = [base, ...models.map(({ model }) => model)];
  const named = references.filter((reference) => typeof reference === "string" && !isRecipeFile(reference));
  const [first] = named;
  if (typeof first !== "string") return "";
  return (await splitReference(first)).path;
}

import { type Checkpoint, openCheckpoint, UsageError } from "@isthmus/core";
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
   * Files of the graphs: one for all data sets, or one for each.
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
 */
export async function openTunedTasks(
  recipe: Recipe,
  { data, evalData, graph, exportedFrom, unread, scaling, onOpen, ...architecture }: TunedTaskNames,
  engine: Engine,
): Promise<OpenedTunedTasks> {
  assertCount("graphs", graph, data);
  assertCount("data sets to measure on", evalData, data);
  const models = listWeighted(recipe).map(({ name }) => name);
  const folder = await folderOf(recipe);
  const source: Checkpoint | undefined =
    exportedFrom === undefined ? undefined : await openCheckpoint(exportedFrom);
  const tasks: TunedTask[] = [];
  for (const [i, named] of data.entries()) {
    const { expert, name } = splitName(named, models);
    const path = graph === undefined ? undefined : (graph[i] ?? graph[0]);
    const read = await openSharedArchitecture([folder], engine, { ...architecture, graph: path });
    const reading = { scaling, onOpen };
    const examples = await openExamples(name, dataContext(read), reading);
    const measured = evalData === undefined ? undefined : (evalData[i] ?? evalData[0]);
    tasks.push({
      architecture: fitToData(read, examples),
      data: examples,
      evaluationData:
        measured === undefined
          ? undefined
          : await openExamples(splitName(measured, models).name, dataContext(read), reading),
      expert,
      exportedFrom: source,
      unread,
    });
  }
  return { tasks, close: async () => source?.close() };
}

/** @throws UsageError if there are neither none, nor one, nor one for each data set */
function assertCount(what: string, names: readonly string[] | undefined, data: readonly string[]): void {
  if (names === undefined || names.length === 1 || names.length === data.length) return;
  throw new UsageError(
    `Cannot learn the weights of a merge as there must be one of the ${what} for all data, or one for each: there are ${names.length} of them, and ${data.length} data sets`,
  );
}

/** Splits the name of the network from that of its data. */
function splitName(
  text: string,
  models: readonly string[],
): { readonly expert: number | undefined; readonly name: string } {
  const model = models.find((candidate) => text.startsWith(`${candidate}=`));
  if (model === undefined) return { expert: undefined, name: text };
  return { expert: models.indexOf(model), name: text.slice(model.length + 1) };
}

/** Returns the path of the base, or of the first network of a recipe that has one. */
async function folderOf({ base_model: base, models = [] }: Recipe): Promise<string> {
  const references: (ModelReference | undefined)[] = [base, ...models.map(({ model }) => model)];
  const named = references.filter((reference) => typeof reference === "string" && !isRecipeFile(reference));
  const [first] = named;
  if (typeof first !== "string") return "";
  return (await splitReference(first)).path;
}

import { at, isIsthmusError, MismatchError, openCheckpoint } from "@isthmus/core";
import type { DataSet, Engine, NamedLoss } from "@isthmus/graph";
import {
  dataContext,
  type ExamplesReading,
  fitToData,
  type GraphOptions,
  openExamples,
  openSharedArchitecture,
} from "@isthmus/zoo";
import { listGroups } from "../plan/groups.ts";
import { isRecipeFile } from "../read/parse-recipe.ts";
import { coverChoices, findChoice } from "../recipe/choices.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { listReferences } from "../run/list-references.ts";
import { type ExamplesJudge, type JudgeByExamplesOptions, judgeByExamples } from "./judges.ts";

/** Options of {@link openJudge}. */
export interface MergeJudgeOptions
  extends Omit<GraphOptions, "outputs">,
    Pick<JudgeByExamplesOptions, "unread">,
    ExamplesReading {
  /** Measure of a network: the mean loss, or the share of errors. */
  readonly score: "loss" | "error";
  /** Name of the examples by which merges are judged. */
  readonly data: string;
  /** Loss function of the score. @defaultValue the loss that fits the labels and the output */
  readonly loss?: NamedLoss | undefined;
  /** Path of the file of the architecture. @defaultValue the config of the first network of the recipe */
  readonly graph?: string | undefined;
  /** Path of the checkpoint that the graph was exported from. */
  readonly exportedFrom?: string | undefined;
}

/** A judge of merges, and the examples by which it judges. */
export interface OpenedJudge extends ExamplesJudge {
  /** Data set by which merges are judged. */
  readonly examples: DataSet;
}

/** Opens a judge of the merges of a recipe by examples. */
export async function openJudge(
  recipe: Recipe,
  options: MergeJudgeOptions,
  {
    engine,
    change = (data) => data,
  }: {
    readonly engine: Engine;
    /** Changes the examples before networks are judged by them. */
    readonly change?: (data: DataSet) => DataSet;
  },
): Promise<OpenedJudge> {
  const { data, score, exportedFrom, unread, graph, input, logits, loss, ...reading } = options;
  const first = listReferences(listGroups(at(coverChoices(recipe), 0, "recipe")))
    .map(({ reference }) => reference)
    .find((reference) => typeof reference === "string" && !isRecipeFile(reference)) as string | undefined;
  const paths = first === undefined ? [] : [first];
  const read = await openSharedArchitecture(paths, engine, { graph, input, logits, loss });
  const examples = change(await openExamples(data, dataContext(read), reading));
  const witness = exportedFrom === undefined ? undefined : await openCheckpoint(exportedFrom);
  const judging = { score, exportedFrom: witness, unread };
  const { judge, identify, release } = judgeByExamples(fitToData(read, examples), examples, judging);
  const chooses = findChoice(recipe) !== undefined;
  return {
    examples,
    async judge(candidate, signal) {
      try {
        return await judge(candidate, signal);
      } catch (error) {
        if (!(chooses && isIsthmusError(error, "MismatchError"))) throw error;
        const { message, parameters } = error as MismatchError;
        const advice =
          "examples are run on the architecture of the first network; if options differ in the number of layers, judge by a command, --evaluate (judgeByCommand)";
        throw new MismatchError(`${message}; ${advice}`, { parameters, cause: error });
      }
    },
    identify,
    async release() {
      await release();
      await witness?.close();
    },
  };
}

import { type Checkpoint, createCheckpoint, InvariantError, type Tensor } from "@isthmus/core";
import {
  bindArchitecture,
  createEvaluator,
  type DataSet,
  type Evaluator,
  fingerprintData,
  fingerprintGraph,
} from "@isthmus/graph";
import { saveMerge } from "@isthmus/merging";
import { rm } from "@isthmus/platform";
import type { JournalRun } from "@isthmus/tasks";
import type { OpenedArchitecture } from "@isthmus/zoo";
import { planRecipeFiles, writeRecipeFiles } from "../run/write-recipe-files.ts";
import { identifyFiles } from "./identify-recipe.ts";
import { type ReadLmEvalOptions, readLmEval } from "./lm-eval.ts";
import type { JudgeMerge, MergeCandidate } from "./open-candidates.ts";
import { assertPlaces, PLACE, RESULTS_PLACE, runCommand, runEvaluation } from "./run-evaluation.ts";

/**
 * Creates a judge that runs a shell command on each merged network; see `runEvaluation`.
 *
 * With `lmEval`, the score is not what the command prints, but what lm-eval wrote: `{results}` in the command
 * is the path of an empty folder for its `--output_path`, see `readLmEval`.
 * @param command - command with `{}` in place of the path of the network
 * @param path - path to which each network is written until it has been judged: of a file ending in
 *   `.safetensors`, or of a folder, which gets the config and tokenizer of a model, too
 * @throws UsageError if the command lacks a placeholder, or has `{results}` without `lmEval`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { judgeByCommand, parseRecipe, searchMerge } from "@isthmus/recipe";
 *
 * const recipe = parseRecipe(`
 * merge_method: linear
 * parameters: { normalize: false, weight: { search: [0, 1] } }
 * models:
 *   - model: examples/mnist-mlp/s0.safetensors
 * `);
 * const judge = judgeByCommand("wc -c < {}", "candidate.safetensors"); // here: how many bytes it has
 * const { candidates } = await searchMerge(recipe, { judge, evaluations: 4 });
 * assert.equal(candidates.length, 4);
 * ```
 */
export function judgeByCommand(command: string, path: string, lmEval?: ReadLmEvalOptions): JudgeMerge {
  assertPlaces(command, lmEval === undefined ? [PLACE] : [PLACE, RESULTS_PLACE]);
  const results = `${path}.results`;
  return async ({ recipe, plan, models }, signal) => {
    const opened = { plan, models, adapter: undefined };
    try {
      await saveMerge(plan, path, { overwrite: true, resume: false, signal, recipe });
      await writeRecipeFiles(await planRecipeFiles(recipe, opened, { output: path }), path);
      if (lmEval === undefined) return await runEvaluation(command, path, signal);
      await rm(results, { recursive: true, force: true });
      await runCommand(command, { [PLACE]: path, [RESULTS_PLACE]: results }, signal);
      return await readLmEval(results, lmEval);
    } finally {
      await rm(path, { recursive: true, force: true });
      await rm(results, { recursive: true, force: true });
    }
  };
}

/** Options of {@link judgeByExamples}. */
export interface JudgeByExamplesOptions {
  /**
   * Measure of a network: the mean loss, or the share of errors; smaller is better for both. @defaultValue
   * "loss"
   */
  readonly score?: "loss" | "error";
  /** The checkpoint that the graph was exported from. @defaultValue the first network of the recipe */
  readonly exportedFrom?: Checkpoint | undefined;
  /** Treatment of tensors that the graph does not read. @defaultValue "refuse" */
  readonly unread?: "refuse" | "keep" | undefined;
}

/** A judge that holds memory of an engine. */
export interface ExamplesJudge {
  /**
   * Judges a merged network: returns its loss or its share of errors on the examples, smaller being better.
   */
  readonly judge: (
    candidate: Pick<MergeCandidate, "network"> & Partial<Pick<MergeCandidate, "plan">>,
    signal?: AbortSignal,
  ) => Promise<number>;
  /**
   * Computes fingerprints of everything that decides a score except the network, as identity of a search with
   * a journal.
   */
  identify(): Promise<JournalRun>;
  /** Frees the memory of the engine. */
  release(): Promise<void>;
}

/**
 * Creates a judge that runs each merged network on examples; networks are merged in memory.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openDataSet } from "@isthmus/data";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { judgeByExamples, parseRecipe, searchMerge } from "@isthmus/recipe";
 * import { openArchitecture } from "@isthmus/zoo";
 *
 * const recipe = parseRecipe(`
 * merge_method: linear
 * parameters: { normalize: false, weight: { search: [0, 1] } }
 * models:
 *   - model: examples/mnist-mlp/s0.safetensors
 * `);
 * const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 * const { judge, release } = judgeByExamples(architecture, await openDataSet("mnist:test@100"));
 * const { best } = await searchMerge(recipe, { judge, evaluations: 8 });
 * assert(best.score < 2.3); // less than the loss of guessing
 * await release();
 * ```
 */
export function judgeByExamples(
  architecture: OpenedArchitecture,
  data: DataSet,
  { score = "loss", exportedFrom, unread }: JudgeByExamplesOptions = {},
): ExamplesJudge {
  // All candidates are bound by the same witness, so that they share the graph of the first candidate.
  let evaluator: Promise<Evaluator> | undefined;
  return {
    async judge({ plan, network }, signal) {
      const held = await holdInMemory(network);
      const witness = exportedFrom ?? plan?.networks[0];
      const bound = await bindArchitecture(architecture, [held], { exportedFrom: witness, unread, signal });
      const [only] = bound.networks;
      if (only === undefined) throw new InvariantError(`"${network.source}" was not bound`);
      evaluator ??= createEvaluator(bound, data);
      const evaluation = await (await evaluator).evaluate(only.network, signal);
      return evaluation[score];
    },
    async identify() {
      return {
        score,
        graph: fingerprintGraph(architecture.graph),
        engine: architecture.engine.name,
        data: fingerprintData(data),
        examples: data.size,
        ...(await identifyFiles(exportedFrom?.files ?? [])),
      };
    },
    async release() {
      await (await evaluator)?.release();
    },
  };
}

async function holdInMemory(network: Checkpoint): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const name of network.tensors.keys()) tensors.set(name, await network.read(name));
  return createCheckpoint(tensors, network.metadata, network.source);
}

import { dirname, join } from "node:path";
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { saveFile, UsageError } from "@isthmus/core";
import { productsModuleOn } from "@isthmus/engine/products";
import {
  createAligner,
  type ExamplesJudge,
  type JudgeMerge,
  judgeByCommand,
  type MergeJudgeOptions,
  openJudge,
  openRecipe,
  parseLmEvalTask,
  type Recipe,
  readRecipe,
  SEARCH_RECIPE_DEFAULTS,
  type SearchProgress,
  type SearchResult,
  type StrictnessOptions,
  saveRecipe,
  searchMerge,
  searchRecipe,
} from "@isthmus/recipe";
import { renderResultPage } from "@isthmus/report";
import type { StudyResult } from "@isthmus/study";
import { canonicalJson } from "@isthmus/tasks";
import type { QueueTasks } from "@isthmus/workers";
import { formatPairs } from "../format/format-table.ts";
import { addScalingOptions, type ScalingOptions, scalingOf } from "../open/open-data.ts";
import { openEngine } from "../open/open-engine.ts";
import { addBindingOptions, type BindingOptions } from "../options/binding-options.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { optionGroup } from "../options/option-group.ts";
import { collect, parseCount, parseNumber, parseSeed } from "../options/parse-values.ts";
import { addQueueOptions, loadWorkers, type QueueOptions, withWorkers } from "../options/queue-options.ts";
import {
  addRecipeReadingOptions,
  noteWarnings,
  type RecipeReadingOptions,
} from "../options/recipe-reading.ts";
import { assertNetworkOutput, assertPageName } from "../output/assert-output.ts";
import { noteData } from "../result/fed-data.ts";
import { assertQueueable } from "../search/assert-queueable.ts";
import { describeSearch, formatSearch } from "../search/describe-search.ts";
import { followAlignment } from "../terminal/follow-alignment.ts";
import {
  type CommonOptions,
  type Context,
  createVerb,
  formatExamples,
  type Outcome,
  type RunVerb,
} from "../verb.ts";

type SearchOptions = CommonOptions &
  EngineOptions &
  BindingOptions &
  ScalingOptions &
  QueueOptions &
  RecipeReadingOptions & {
    readonly output: string;
    readonly evaluate?: string | undefined;
    readonly lmEval?: readonly string[] | undefined;
    readonly data?: string | undefined;
    readonly graph?: string | undefined;
    readonly score: "loss" | "error";
    readonly goal: "minimize" | "maximize";
    readonly evaluations: number;
    readonly population?: number | undefined;
    readonly sigma: number;
    readonly seed: number;
    readonly journal?: string | undefined;
    readonly methods?: readonly string[] | undefined;
    readonly report?: string | undefined;
  };

/** Creates the command `isthmus search`. */
export function searchVerb(run: RunVerb): CommandUnknownOpts {
  return addSearchOptions(
    createVerb("search", HELP_GROUPS.done).argument(
      "<recipe>",
      "a recipe in YAML, with ranges in place of numbers, weight: { search: [0, 1] }, and options in place of values, merge_method: { choose: [ties, pcb] }",
    ),
  )
    .addHelpText("after", EXAMPLES)
    .action((path, options) => run(options, (context) => search(path, options, context)));
}

const EXAMPLES = formatExamples(
  [
    "isthmus search recipe.yml -o merged --evaluate 'python evaluate.py {}' --goal maximize",
    "judge each merge by the last number that a command prints; {} is the merged model",
  ],
  [
    "isthmus search recipe.yml -o merged --goal maximize --lm-eval arc_easy:acc_norm --lm-eval gsm8k:exact_match,strict-match=2 --evaluate 'lm_eval --model hf --model_args pretrained={} --tasks arc_easy,gsm8k --output_path {results}'",
    "judge by what lm-eval writes, here the mean of two tasks, the second with weight 2",
  ],
  [
    "isthmus search recipe.yml -o merged.safetensors --graph model.onnx --data mnist:train@2000",
    "judge each merge by its loss on examples",
  ],
  [
    "isthmus search recipe.yml -o merged --data npz:tokens.npz --evaluations 40 --report search.html",
    "model folders, with a page of all that was tried",
  ],
  [
    "isthmus search recipe.yml -o merged.safetensors --graph model.onnx --data mnist:train --queue /shared/queue --storage /shared",
    "merges of a generation are judged at once, by workers: isthmus worker --queue /shared/queue --storage /shared",
  ],
);

const addSearchOptions = optionGroup<SearchOptions>((command) => {
  command
    .requiredOption("-o, --output <path>", "the best merge: a file ending in .safetensors, or a folder")
    .option(
      "--evaluate <command>",
      "a command that prints a score; {} in it is the path of the merged network",
    )
    .option(
      "--lm-eval <task>",
      "take the score from what --evaluate wrote for lm-eval in {results}: TASK, TASK:METRIC or TASK:METRIC=WEIGHT; may be repeated for a mean",
      collect,
    )
    .option("--data <name>", `examples to score on: ${dataForms()}`)
    .option(
      "--graph <file>",
      "the architecture, for --data (default: from the config.json of the first network)",
    )
    .addOption(
      new Option("--score <name>", "what is measured on --data")
        .choices(["loss", "error"] as const)
        .default("loss" as const),
    )
    .addOption(
      new Option("--goal <goal>", "whether a small score is good, or a large one")
        .choices(["minimize", "maximize"] as const)
        .default(SEARCH_RECIPE_DEFAULTS.goal),
    )
    .option("--evaluations <n>", "most merges to judge", parseCount(1), SEARCH_RECIPE_DEFAULTS.evaluations)
    .option("--population <n>", "merges of a generation (default: 4 + 3 ln(searched numbers))", parseCount(4))
    .option(
      "--sigma <s>",
      "spread of the first merges, as a share of each range",
      parseNumber,
      SEARCH_RECIPE_DEFAULTS.sigma,
    )
    .option("--seed <n>", "seed of the search and of random methods", parseSeed, SEARCH_RECIPE_DEFAULTS.seed)
    .option("--journal <file>", "scores so far, from which a search goes on (default: OUTPUT.search.jsonl)")
    .option(
      "--methods <file>",
      "a JavaScript file that exports methods of your own, which is run; may be repeated",
      collect,
    )
    .option("--report <file>", "write a page with all merges that were tried (.html)");
  addRecipeReadingOptions(addQueueOptions(addScalingOptions(addBindingOptions(addEngineOption(command)))));
});

async function search(path: string, options: SearchOptions, context: Context): Promise<Outcome> {
  assertOneJudge(options);
  assertQueueable(options);
  if (options.report !== undefined) assertPageName(options.report);
  await assertNetworkOutput(options.output, { inputs: [path], models: [] });
  const reading = noteWarnings(options, context);
  const recipe = await readRecipe(path, { ...reading, document: options.document });
  const { seed, goal } = options;
  const align = createAligner(await openEngine(options, context), followAlignment("weight", context));
  const work = { verb: "search", beside: options.output, context };
  const searched = await withWorkers(options, work, (tasks) =>
    searchCandidates(recipe, options, { align, tasks, reading, context }),
  );
  const result = describeSearch(searched, { recipe: path, goal, seed });
  if (options.report !== undefined) await savePage(options.report, result, context);
  return saveBest(searched, { result, options, align }, context);
}

/** Searches in this process, or on the workers of a queue. */
async function searchCandidates(
  recipe: Recipe,
  options: SearchOptions,
  {
    align,
    tasks,
    reading,
    context,
  }: {
    readonly align: ReturnType<typeof createAligner>;
    readonly tasks: QueueTasks | undefined;
    readonly reading: StrictnessOptions;
    readonly context: Context;
  },
): Promise<SearchResult<Recipe>> {
  const { evaluations, population, sigma, seed, goal, journal, methods: methodFiles } = options;
  const searching = {
    evaluations,
    sigma,
    seed,
    goal,
    ...(population === undefined ? {} : { population }),
    journal: journal ?? `${options.output.replace(/\/+$/, "")}.search.jsonl`,
    signal: context.signal,
    onProgress: ({ done, best }: SearchProgress) =>
      context.progress(`Searching, best ${best.toPrecision(5)}`, done),
  };
  if (tasks !== undefined) {
    // A search without a queue does not load it.
    const { queueCandidates } = await loadWorkers();
    const candidates = await queueCandidates(tasks, recipe, { ...judgeOf(options), ...reading, seed });
    return searchRecipe(recipe, { ...searching, ...candidates, atOnce: tasks.executor.capacity });
  }
  const { judge, identify, release } = await createJudge(recipe, options, context);
  try {
    return await searchMerge(recipe, {
      ...searching,
      ...reading,
      judge,
      methodFiles,
      align,
      identity: await identify(),
      productsModule: productsModuleOn(options.device),
    });
  } finally {
    await release();
  }
}

async function saveBest(
  { best, choices }: SearchResult<Recipe>,
  {
    result,
    options,
    align,
  }: { result: StudyResult; options: SearchOptions; align: ReturnType<typeof createAligner> },
  context: Context,
): Promise<Outcome> {
  const opened = await openRecipe(best.recipe, {
    methodFiles: options.methods,
    seed: options.seed,
    align,
    productsModule: productsModuleOn(options.device),
  });
  try {
    const saved = await saveRecipe(best.recipe, opened, options.output, {
      device: context.maker.device,
      overwrite: true,
      signal: context.signal,
      onProgress: ({ done }) => context.progress("Writing the best", done),
    });
    const { path } = saved.output;
    return {
      result: { ...result, best: { ...best }, output: saved.output },
      text: [formatSearch(result, best, choices), formatPairs([["wrote", path]])].join("\n"),
    };
  } finally {
    await opened.close();
  }
}

async function savePage(path: string, result: StudyResult, { provenance }: Context): Promise<void> {
  await saveFile(
    path,
    await renderResultPage({ title: result.title, result: { ...result, provenance } as StudyResult }),
    [],
  );
}

/**
 * Checks that the options name exactly one way to judge candidates.
 * @throws UsageError if candidates are judged in no way, or in two
 */
function assertOneJudge({ evaluate, data, lmEval }: SearchOptions): void {
  if (lmEval !== undefined && evaluate === undefined) {
    throw new UsageError(
      'Cannot search by results of lm-eval as a command must write them: give --evaluate "lm_eval --model_args pretrained={} --output_path {results}"',
    );
  }
  if ((evaluate === undefined) !== (data === undefined)) return;
  throw new UsageError(
    `Cannot search as merges must be judged in one way: give --evaluate "python evaluate.py {}", or --data with --graph${evaluate === undefined ? "" : ", not both"}`,
  );
}

/** Returns the options by which merges are judged on examples. */
function judgeOf({ data = "", mean, std, ...options }: SearchOptions): MergeJudgeOptions {
  return { ...options, data, scaling: scalingOf({ mean, std }), onOpen: noteData };
}

async function createJudge(
  recipe: Recipe,
  options: SearchOptions,
  context: Context,
): Promise<Pick<ExamplesJudge, "identify" | "release"> & { readonly judge: JudgeMerge }> {
  const { evaluate, output, goal, lmEval } = options;
  if (evaluate === undefined)
    return openJudge(recipe, judgeOf(options), { engine: await openEngine(options, context) });
  const name = output.endsWith(".safetensors") ? ".candidate.safetensors" : ".candidate";
  const tasks = lmEval?.map(parseLmEvalTask);
  const results = tasks && { tasks, goal };
  return {
    judge: judgeByCommand(evaluate, join(dirname(output), name), results),
    identify: async () => ({ evaluate, ...(tasks && { lmEval: canonicalJson(tasks) }) }),
    release: async () => {},
  };
}

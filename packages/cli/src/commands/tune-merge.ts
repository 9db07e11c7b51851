import { rm } from "node:fs/promises";
import { basename } from "node:path";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { saveFile, UsageError } from "@isthmus/core";
import { formatNumber } from "@isthmus/findings";
import {
  describeTuned,
  formatTunedRecipe,
  openTunedTasks,
  planTuneMerge,
  TUNE_MERGE_FIELDS,
  type TuneMergeOptions,
  type TuneMergeProgress,
  type TuneMergeResult,
  type TuneMergeRules,
  tuneMerge,
} from "@isthmus/merge-learning";
import { createAligner, isRecipeFile, type Recipe, readRecipe } from "@isthmus/recipe";
import { formatOutputs } from "../format/format-outputs.ts";
import { formatTable } from "../format/format-table.ts";
import { addFieldOptions, readFields } from "../measurement/field-options.ts";
import { addScalingOptions, type ScalingOptions, scalingOf } from "../open/open-data.ts";
import { openEngine } from "../open/open-engine.ts";
import { addBindingOptions, type BindingOptions } from "../options/binding-options.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { optionGroup } from "../options/option-group.ts";
import { collect } from "../options/parse-values.ts";
import {
  addRecipeReadingOptions,
  noteWarnings,
  type RecipeReadingOptions,
} from "../options/recipe-reading.ts";
import {
  addSeveralDataOptions,
  addSeveralGraphsOption,
  type SeveralDataOptions,
  type SeveralGraphsOption,
} from "../options/several-data.ts";
import { assertOutput } from "../output/assert-output.ts";
import { noteData } from "../result/fed-data.ts";
import { followAlignment } from "../terminal/follow-alignment.ts";
import { sayHowToGoOn } from "../terminal/say-how-to-go-on.ts";
import { withTrainingLock } from "../training/with-training-lock.ts";
import {
  type CommonOptions,
  type Context,
  createVerb,
  formatExamples,
  type Outcome,
  type RunVerb,
} from "../verb.ts";

type TuneMergeVerbOptions = CommonOptions &
  EngineOptions &
  Omit<BindingOptions, "graph"> &
  ScalingOptions &
  SeveralDataOptions &
  SeveralGraphsOption &
  RecipeReadingOptions & {
    readonly output: string;
    readonly methods?: readonly string[] | undefined;
    readonly resume?: true | undefined;
    readonly dryRun?: true | undefined;
  };

/** Creates the command `isthmus tune-merge`. */
export function tuneMergeVerb(run: RunVerb): CommandUnknownOpts {
  const command = addTuneMergeOptions(
    createVerb("tune-merge", HELP_GROUPS.done).argument(
      "<recipe>",
      "a recipe in YAML, whose weights are learned; those it has are the start",
    ),
  );
  return command.addHelpText("after", EXAMPLES).action((path, options) =>
    run(options, (context) => {
      const rules: TuneMergeRules = readFields("learn the weights of a merge", command, TUNE_MERGE_FIELDS);
      return runTuneMerge({ path, rules }, options, context);
    }),
  );
}

const addTuneMergeOptions = optionGroup<TuneMergeVerbOptions>((command) => {
  command.requiredOption(
    "-o, --output <file>",
    "the recipe with the weights that are found, a file ending in .yml",
  );
  addSeveralDataOptions(command, {
    what: "examples",
    of: "each network of the recipe, or of all",
    evaluated: "--data",
  });
  addSeveralGraphsOption(command);
  addFieldOptions(command, TUNE_MERGE_FIELDS);
  command
    .option("--resume", "go on from OUTPUT.state.safetensors if an interrupted run left one")
    .option("--dry-run", "list the weights that would be learned, and learn nothing")
    .option(
      "--methods <file>",
      "a JavaScript file that exports methods of your own, which is run; may be repeated",
      collect,
    );
  addRecipeReadingOptions(addScalingOptions(addBindingOptions(addEngineOption(command))));
});

const EXAMPLES = formatExamples(
  [
    "isthmus tune-merge recipe.yml --data mnist fashion-mnist --graph digits.onnx clothes.onnx -o tuned.yml",
    "AdaMerging: weights by layer that make predictions certain, without labels; then isthmus merge tuned.yml -o merged",
  ],
  [
    "isthmus tune-merge recipe.yml --data text:plays.txt@64 text:code.txt@64 --objective distillation --by tensor -o tuned.yml",
    "language models: predictions near those of each text's own expert; the first text belongs to the first model",
  ],
  [
    "isthmus tune-merge recipe.yml --data code=text:code.txt@32 plays=text:plays.txt@32 --objective output-space -o tuned.yml",
    "in closed form, without gradients, in seconds; data are named after the file of their model",
  ],
  [
    "isthmus tune-merge recipe.yml --data mnist:train@2000 --objective loss --by model --bounds 0:1 -o tuned.yml --resume",
    "one weight for each network, by the loss on labels; start it again after an interruption and it goes on where it was",
  ],
);

interface TuneMergeRequest {
  readonly path: string;
  /** Options of the tuning that the command line gives. */
  readonly rules: TuneMergeRules;
}

async function runTuneMerge(
  { path, rules }: TuneMergeRequest,
  options: TuneMergeVerbOptions,
  context: Context,
): Promise<Outcome> {
  const { output, dryRun } = options;
  if (!isRecipeFile(output)) {
    throw new UsageError(
      `Cannot write the recipe that is found as -o must name a file ending in .yml: it is "${output}"; isthmus merge makes the network of it`,
    );
  }
  const state = `${output.replace(/\.ya?ml$/i, "")}.state.safetensors`;
  for (const file of [output, state]) await assertOutput(file, [path]);
  const reading = noteWarnings(options, context);
  const recipe = await readRecipe(path, { ...reading, document: options.document });
  const engine = await openEngine(options, context);
  const align = createAligner(engine, followAlignment("weight", context));
  const common = { ...rules, align, methodFiles: options.methods };
  if (dryRun) return describePlan(recipe, common);
  const { resume = false } = options;
  return withTrainingLock({ state, output, resume, note: context.terminal.note }, async () => {
    context.progress("Preparing");
    const { data, evalData, graph, mean, std, exportedFrom, unread, input, logits, loss } = options;
    const names = { data, evalData, graph, exportedFrom, unread, input, logits, loss };
    const opening = { ...names, scaling: scalingOf({ mean, std }), onOpen: noteData };
    const { tasks, close } = await openTunedTasks(recipe, opening, engine);
    try {
      const result = await follow(state, context, (following) =>
        tuneMerge(recipe, tasks, { ...common, ...following, resume }),
      );
      const { seed = 0 } = rules;
      const origin = { recipe: basename(path), seed };
      await saveFile(output, formatTunedRecipe(result, origin));
      await rm(state, { force: true });
      const { recipe: tuned, ...found } = result;
      return {
        result: { recipe: path, ...found, warnings: reading.warnings, tuned, outputs: [output] },
        text: `${formatTuned(result, origin)}${formatOutputs([output])}`,
      };
    } finally {
      await close();
    }
  });
}

/** Runs a tuning and shows its progress; if it is stopped, says how to go on. */
function follow<T>(
  state: string,
  context: Context,
  work: (options: Pick<TuneMergeOptions, "statePath" | "signal" | "onProgress">) => Promise<T>,
): Promise<T> {
  let made = 0;
  const onProgress = ({ phase, done, step, loss, means }: TuneMergeProgress) => {
    made = step;
    const weights = means.map((mean) => mean.toFixed(2)).join(" ");
    const now = step === 0 ? phase : `${phase}, ${loss.toPrecision(4)}, weights ${weights}`;
    context.progress(now, done);
  };
  const left = () =>
    made > 0 ? `the state after ${made} steps is in "${state}": --resume goes on` : undefined;
  return sayHowToGoOn({ verb: "tune-merge", left }, context, () =>
    work({ statePath: state, signal: context.signal, onProgress }),
  );
}

async function describePlan(recipe: Recipe, options: TuneMergeOptions): Promise<Outcome> {
  const { models, groups, bytes } = await planTuneMerge(recipe, options);
  const rows = groups.map(({ name, tensors, start }) => [name, String(tensors.length), ...start.map(String)]);
  const table = formatTable(
    [{ title: "part" }, { title: "tensors", align: "right" }, ...titlesOf(models)],
    rows,
  );
  const weights = groups.length * models.length;
  const megabytes = (bytes / 1e6).toFixed(1);
  return {
    result: { models, groups, weights, bytes },
    text: `${table}\n\n${weights} weights would be learned, with ${megabytes} MB of networks in memory.`,
  };
}

const titlesOf = (models: readonly string[]) => models.map((title) => ({ title, align: "right" as const }));

function formatTuned(result: TuneMergeResult, origin: Parameters<typeof describeTuned>[1]): string {
  const { groups, models, losses, resumedAt, unreached } = result;
  const rows = groups.map(({ name, weights }) => [name, ...weights.map(formatNumber)]);
  const table = formatTable([{ title: "part" }, ...titlesOf(models)], rows);
  const [first = Number.NaN] = losses;
  const notes = [
    `The objective was ${formatNumber(first)} at first, and ${formatNumber(losses.at(-1) ?? first)} in the end.`,
    ...(resumedAt > 0 ? [`It went on from step ${resumedAt}.`] : []),
    ...(unreached.length > 0
      ? [`No data reach ${unreached.length} tensors, whose weights stay, such as ${unreached[0]}.`]
      : []),
  ];
  return `${table}\n\n${[...describeTuned(result, origin), ...notes].join("\n")}\n`;
}

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { resolveOutputPlace, seedField, UsageError } from "@isthmus/core";
import { buildMixture, type MixtureProgress, planMixtureRecipe, readMixtureRecipe } from "@isthmus/mixtures";
import { explainPlan, groupTensors } from "@isthmus/recipe";
import { addFieldOptions } from "../measurement/field-options.ts";
import { formatExplanations } from "../merge/format-recipe.ts";
import { formatMixture, formatMixturePlan } from "../moe/format-mixture.ts";
import { openEngine } from "../open/open-engine.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { parseBytes } from "../options/parse-values.ts";
import { noteWarnings } from "../options/recipe-reading.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

/** Options of the verb `moe`. */
type MoeOptions = EngineOptions & {
  readonly output?: string | undefined;
  readonly seed: number;
  readonly forTraining?: true | undefined;
  readonly maxShardSize?: number | undefined;
  readonly memory?: number | undefined;
  readonly dryRun?: true | undefined;
  readonly explain?: string | undefined;
  readonly strict?: true | undefined;
  readonly restart?: true | undefined;
};

/** Creates the command `isthmus moe`. */
export function moeVerb(run: RunVerb): CommandUnknownOpts {
  return createMoeVerb()
    .addHelpText("after", EXAMPLES)
    .action((recipe, options) => run(options, (context) => moe(recipe, options as MoeOptions, context)));
}

const EXAMPLES = formatExamples(
  ["isthmus moe experts.yml -o mixture", "a mixture by a recipe of mergekit-moe"],
  ["isthmus moe experts.yml --dry-run", "its layout, and what each tensor comes from"],
  ["isthmus moe experts.yml --explain '*.0.*gate*'", "what the gates of the first layer come from"],
);

function createMoeVerb() {
  const command = createVerb("moe", HELP_GROUPS.done)
    .argument(
      "<recipe>",
      "a recipe in YAML, as mergekit-moe reads it: base_model, experts, gate_mode; architecture: xlora for a mixture of LoRA adapters",
    )
    .option("-o, --output <folder>", "the folder of the result")
    .option(
      "--for-training",
      "let all experts be one model, which makes a mixture that is of use once it is trained",
    )
    .option("--dry-run", "only print the layout, and what the tensors come from")
    .option("--explain <pattern>", "only print what tensors come from, for example '*.0.*'")
    .option(
      "--strict",
      "refuse what has no effect in the recipe, such as unknown keys (default: a warning each)",
    )
    .option(
      "--max-shard-size <size>",
      "most bytes of one file of weights, such as 5GB (default: one file)",
      parseBytes,
    )
    .option("--memory <size>", "most memory for tensors, such as 4GB (default: 1 GiB)", parseBytes)
    .option("--restart", "start anew where the same command was interrupted (default: go on)");
  addFieldOptions(command, { seed: seedField("seed of random gates and of noise") });
  return addEngineOption(command);
}

const PHASES: Readonly<Record<MixtureProgress["phase"], string>> = {
  gates: "Running prompts",
  writing: "Writing",
};

async function moe(path: string, options: MoeOptions, context: Context): Promise<Outcome> {
  const { seed, forTraining = false, maxShardSize, memory, explain, dryRun } = options;
  const { terminal, signal } = context;
  const onNote = (note: string) => terminal.note(`${note}.`);
  const isPlanned = dryRun === true || explain !== undefined;
  const output = isPlanned ? undefined : await outputOf(options);
  const { strict, warnings, onWarning } = noteWarnings(options, context);
  const read = await readMixtureRecipe(path, { strict, onWarning });
  if (output === undefined) {
    const { plan, ...planned } = await planMixtureRecipe(read, { seed, forTraining, onNote });
    const tensors = explainPlan(plan, explain);
    const text =
      explain === undefined ? formatMixturePlan(planned, groupTensors(plan)) : formatExplanations(tensors);
    return { result: { recipe: path, warnings, ...planned, tensors }, text };
  }
  const result = await buildMixture(read, output, {
    seed,
    forTraining,
    engine: await openEngine(options, context),
    overwrite: true,
    resume: options.restart !== true,
    ...(maxShardSize === undefined ? {} : { maxShardBytes: maxShardSize }),
    ...(memory === undefined ? {} : { memory }),
    maker: context.maker,
    signal,
    onNote,
    onProgress: ({ phase, done }) => context.progress(PHASES[phase], done),
  });
  return { result: { recipe: path, warnings, ...result }, text: formatMixture(result) };
}

/**
 * Returns the folder of the result, before the work.
 * @throws UsageError if no option names it
 */
async function outputOf({ output }: MoeOptions): Promise<string> {
  if (output === undefined) {
    throw new UsageError("Cannot make a mixture as -o must name the folder of the result: it is missing");
  }
  await resolveOutputPlace(output);
  return output;
}

import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { isIsthmusError, resolveOutputPlace, UsageError } from "@isthmus/core";
import { productsModuleOn } from "@isthmus/engine/products";
import { DEVICE_NAMES, type DeviceName } from "@isthmus/graph";
import { openMergeProducts } from "@isthmus/merging";
import {
  planReplacement,
  REPLACE_VOCABULARY_DEFAULTS,
  type ReplacementProgress,
  replaceVocabulary,
  VOCABULARY_METHODS,
  type VocabularyMethod,
} from "@isthmus/recipe";
import { assertNoModelFolder } from "@isthmus/zoo";
import { openEngine } from "../open/open-engine.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { parseBytes, parseCount } from "../options/parse-values.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";
import {
  formatReplacement,
  formatReplacementPlan,
  type ReplacementScores,
} from "../vocabulary/format-replacement.ts";
import { measureText, readMeasuredText } from "../vocabulary/measure-text.ts";

/** Options of the verb `vocabulary`. */
interface VocabularyOptions {
  readonly output?: string | undefined;
  readonly method: VocabularyMethod;
  readonly neighbours: number;
  readonly byCosine?: true | undefined;
  readonly data?: string | undefined;
  readonly shardSize?: number | undefined;
  readonly dryRun?: true | undefined;
  readonly memory?: number | undefined;
  readonly restart?: true | undefined;
  readonly device?: DeviceName | undefined;
}

/** Creates the command `isthmus vocabulary`. */
export function vocabularyVerb(run: RunVerb): CommandUnknownOpts {
  return createVocabularyVerb()
    .addHelpText("after", EXAMPLES)
    .action((model, donor, options) =>
      run(options, (context) => vocabulary([model, donor], options as VocabularyOptions, context)),
    );
}

const EXAMPLES = formatExamples(
  ["isthmus vocabulary qwen-0.5b llama-70b -o draft", "a draft model with the tokens of the large one"],
  [
    "isthmus vocabulary qwen-0.5b llama-70b -o draft --data text:notes.txt",
    "its loss for each byte before and after",
  ],
  [
    "isthmus vocabulary qwen-0.5b llama-70b -o draft --method subword",
    "new tokens as the mean of their pieces; needs only the other tokenizer",
  ],
  ["isthmus vocabulary qwen-0.5b llama-70b --dry-run", "how many tokens both have, and how long it takes"],
);

const { neighbours: NEIGHBOURS, method: METHOD } = REPLACE_VOCABULARY_DEFAULTS;

function createVocabularyVerb() {
  return createVerb("vocabulary", HELP_GROUPS.done)
    .argument("<model>", "the folder of the model that gets another tokenizer")
    .argument("<tokenizer-of>", "the folder of the model whose tokenizer it gets")
    .option("-o, --output <folder>", "the folder of the result")
    .addOption(
      new Option(
        "--method <name>",
        "rows of tokens that the model lacks: omp combines rows of shared tokens as the other model's embedding does, subword takes the mean of the token's pieces, mean the mean of all rows",
      )
        .choices(VOCABULARY_METHODS)
        .default(METHOD),
    )
    .addOption(
      new Option("--neighbours <k>", "most shared tokens that omp combines")
        .argParser(parseCount(1))
        .default(NEIGHBOURS),
    )
    .option(
      "--by-cosine",
      "choose shared tokens by their cosine, not by the product, which favours long rows",
    )
    .option("--data <name>", "text:FILE to measure the loss for each byte on, before and after")
    .option(
      "--shard-size <size>",
      "most bytes of one file of weights, such as 5GB (default: one file)",
      parseBytes,
    )
    .option("--dry-run", "only print which tokens would be copied and made, and how long it would take")
    .option("--memory <size>", "most memory for rows, such as 4GB (default: 1 GiB)", parseBytes)
    .option("--restart", "start anew where the same command was interrupted (default: go on)")
    .addOption(
      new Option("--device <name>", "device that multiplies matrices (default: cpu)").choices(DEVICE_NAMES),
    );
}

const PHASES: Readonly<Record<ReplacementProgress["phase"], string>> = {
  approximating: "Approximating tokens",
  writing: "Writing",
};

async function vocabulary(
  [model, donor]: readonly [string, string],
  options: VocabularyOptions,
  context: Context,
): Promise<Outcome> {
  const { method, neighbours, byCosine, memory, shardSize } = options;
  const chosen = { method, neighbours, byCosine: byCosine === true, ...(memory !== undefined && { memory }) };
  const output = options.dryRun ? undefined : await outputOf(options, [model, donor]);
  const text = options.data === undefined ? undefined : await readMeasuredText(options.data);
  if (output === undefined) {
    const plan = await planReplacement(model, donor, chosen);
    return { result: plan, text: formatReplacementPlan(plan) };
  }
  const products = await openMergeProducts(productsModuleOn(options.device), 0);
  try {
    const result = await replaceVocabulary(model, donor, output, {
      ...chosen,
      products,
      overwrite: true,
      resume: options.restart !== true,
      ...(shardSize !== undefined && { maxShardBytes: shardSize }),
      maker: context.maker,
      signal: context.signal,
      onNote: (note) => context.terminal.note(`${note}.`),
      onProgress: ({ phase, done }) => context.progress(PHASES[phase], done),
    });
    const measured = text && (await measure([result.model, output], text, options, context));
    return {
      result: { ...result, ...(measured && { scores: measured }) },
      text: formatReplacement(result, measured),
    };
  } finally {
    await products.release();
  }
}

/**
 * Measures the model before and after.
 * @returns undefined if the family of the model has no graph, which a note says
 */
async function measure(
  [before, after]: readonly [string, string],
  text: Awaited<ReturnType<typeof readMeasuredText>>,
  { device }: VocabularyOptions,
  { terminal, signal, progress }: Context,
): Promise<ReplacementScores | undefined> {
  const engine = await openEngine({ device }, { terminal });
  try {
    progress("Measuring", 0);
    const first = await measureText(before, text, { engine, signal });
    progress("Measuring", 0.5);
    const second = await measureText(after, text, { engine, signal });
    return { data: text.name, bytes: text.bytes, before: first, after: second };
  } catch (error) {
    if (!isIsthmusError(error)) throw error;
    terminal.note(`The loss on ${text.name} is not measured: ${error.message}`);
    return undefined;
  }
}

/**
 * Returns the folder of the result, before the work.
 * @throws UsageError if no option names it, or it is named like a file
 * @throws InputError if it is the folder of a model that is read
 */
async function outputOf({ output }: VocabularyOptions, models: readonly string[]): Promise<string> {
  if (output === undefined) {
    throw new UsageError(
      "Cannot replace a vocabulary as -o must name the folder of the result: it is missing",
    );
  }
  if (output.endsWith(".safetensors")) {
    throw new UsageError(
      `Cannot write the model to "${output}" as it is a folder of weights, config and tokenizer: name a folder`,
    );
  }
  await resolveOutputPlace(output);
  await assertNoModelFolder(output, models);
  return output;
}

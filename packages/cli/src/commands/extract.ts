import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { DTYPES, type DType, UsageError, withCheckpoints } from "@isthmus/core";
import { productsModuleOn } from "@isthmus/engine/products";
import { DEVICE_NAMES, type DeviceName } from "@isthmus/graph";
import {
  assertNoModel,
  DEFAULT_RANK,
  type ExtractionPhase,
  estimateExtraction,
  openMergeProducts,
  type SaveExtractedOptions,
  saveExtractedAdapter,
} from "@isthmus/merging";
import { assertNoModelFolder } from "@isthmus/zoo";
import { formatExtraction, formatExtractionEstimate, formatModules } from "../extract/format-extraction.ts";
import { formatBytes } from "../format/format-table.ts";
import { noteDequantized } from "../format/note-dequantized.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { declareNeeds } from "../options/option-needs.ts";
import { collect, parseBytes, parseCount, parseNumber } from "../options/parse-values.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

/** Options of the verb `extract`. */
interface ExtractOptions {
  readonly output?: string | undefined;
  readonly rank?: number | undefined;
  readonly energy?: number | undefined;
  readonly bytes?: number | undefined;
  readonly maxRank?: number | undefined;
  readonly saveModule?: readonly string[] | undefined;
  readonly factorModule?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly dtype?: DType | undefined;
  readonly exact?: true | undefined;
  readonly measure: boolean;
  readonly memory?: number | undefined;
  readonly baseName?: string | undefined;
  readonly restart?: true | undefined;
  readonly dryRun?: true | undefined;
  readonly explain?: true | undefined;
  readonly device?: DeviceName | undefined;
  readonly json?: true | undefined;
  readonly quiet?: true | undefined;
}

const FLOAT_TYPES = (["f32", "f16", "bf16"] as const).filter((dtype) => DTYPES[dtype].float);

/** Creates the command `isthmus extract`. */
export function extractVerb(run: RunVerb): CommandUnknownOpts {
  return createExtractVerb()
    .addHelpText("after", EXAMPLES)
    .action((base, tuned, options) =>
      run(options, (context) => extract([base, tuned], options as ExtractOptions, context)),
    );
}

const EXAMPLES = formatExamples(
  ["isthmus extract llama llama-chat -o lora", `factors of rank ${DEFAULT_RANK}, norms and embeddings whole`],
  ["isthmus extract llama llama-chat -o lora --energy .95", "95 % of the square of each difference"],
  ["isthmus extract llama llama-chat -o lora --bytes 50MB", "the best adapter of 50 MB"],
  [
    "isthmus extract llama llama-chat -o lora --exclude embed_tokens --exclude lm_head",
    "leave some as they are",
  ],
  ["isthmus extract llama llama-chat --rank 32 --dry-run", "what would be read and written"],
);

function createExtractVerb() {
  const command = createVerb("extract", HELP_GROUPS.done)
    .argument("<base>", "the model that was fine-tuned: a folder, or a file of any format that inspect shows")
    .argument("<tuned>", "the fine-tune of it, with the same names and shapes")
    .option("-o, --output <folder>", "the folder of the adapter, which PEFT loads")
    .option("--rank <n>", `rank of every module (default: ${DEFAULT_RANK})`, parseCount(1))
    .option(
      "--energy <share>",
      "choose the rank of each module: the least whose factors keep this share of the squared norm of its difference, such as .95",
      parseNumber,
    )
    .option(
      "--bytes <size>",
      "choose the ranks so that the weights take at most this much, such as 50MB, and least is left of all differences",
      parseBytes,
    )
    .option("--max-rank <n>", "most ranks of a module for --energy and --bytes (default: 256)", parseCount(1))
    .option(
      "--save-module <pattern>",
      "a module to store whole where it changed, by its name or the end of it, as * stands for any characters; may be repeated (always: embeddings, heads, routers, norms, convolutions)",
      collect,
    )
    .option(
      "--factor-module <pattern>",
      "a module to store as factors although it would be stored whole, such as embed_tokens; may be repeated",
      collect,
    )
    .option(
      "--exclude <pattern>",
      "a module or tensor to leave as it is in the base; may be repeated",
      collect,
    )
    .addOption(
      new Option("--dtype <type>", "type of the adapter's numbers (default: that of each weight)").choices(
        FLOAT_TYPES,
      ),
    )
    .option("--exact", "compute singular values of wide weights exactly: slower by far, and little is gained")
    .option("--no-measure", "do not measure what the factors leave, for which both models are read again")
    .option("--base-name <name>", "the base in adapter_config.json, such as org/model (default: its path)")
    .option("--dry-run", "only print what would be read and written, from names and shapes")
    .option("--explain", "only print for each module how it would be stored")
    .option("--memory <size>", "most memory, such as 4GB (default: 1 GiB)", parseBytes)
    .option("--restart", "start anew where the same extraction was interrupted (default: go on)")
    .addOption(
      new Option("--device <name>", "device that multiplies matrices (default: cpu)").choices(DEVICE_NAMES),
    );
  declareNeeds(command, { "max-rank": ["energy", "bytes"] });
  return command;
}

const PHASES: Readonly<Record<ExtractionPhase, string>> = {
  comparing: "Comparing",
  extracting: "Extracting",
  measuring: "Measuring",
};

async function extract(
  paths: readonly [string, string],
  options: ExtractOptions,
  context: Context,
): Promise<Outcome> {
  const isPlanned = options.dryRun === true || options.explain === true;
  const output = isPlanned ? undefined : await outputOf(options, paths);
  const products = await openMergeProducts(productsModuleOn(options.device), 0);
  try {
    return await withCheckpoints(paths, async ([base, tuned]) => {
      noteDequantized([base, tuned], context);
      const extraction = { ...optionsOf(options), products };
      if (output === undefined) {
        const estimate = estimateExtraction(base, tuned, extraction);
        const text = options.explain
          ? formatModules(estimate)
          : formatExtractionEstimate(estimate, [base, tuned], options.bytes);
        return { result: { base: base.source, tuned: tuned.source, ...estimate }, text };
      }
      const result = await saveExtractedAdapter(base, tuned, output, {
        ...extraction,
        overwrite: true,
        resume: options.restart !== true,
        device: context.maker.device,
        signal: context.signal,
        onStart({ writtenBytes, peakBytes }) {
          const bytes = `${formatBytes(writtenBytes)} to write, at most ${formatBytes(peakBytes)} of memory`;
          if (!options.quiet) context.terminal.note(`${bytes}.`);
        },
        onNote: (note) => context.terminal.note(`${note}.`),
        onProgress: ({ phase, done }) => context.progress(PHASES[phase], done),
      });
      return {
        result: { base: base.source, tuned: tuned.source, ...result },
        text: formatExtraction(result),
      };
    });
  } finally {
    await products.release();
  }
}

/**
 * Returns the folder of the adapter, before the work.
 * @throws UsageError if no option names it, or it is named like a file
 * @throws InputError if it is the folder of a model that is read
 */
async function outputOf({ output }: ExtractOptions, paths: readonly string[]): Promise<string> {
  if (output === undefined) {
    throw new UsageError("Cannot extract an adapter as -o must name its folder: it is missing");
  }
  if (/\.(safetensors|gguf|bin|pt)$/.test(output)) {
    throw new UsageError(
      `Cannot write the adapter to "${output}" as an adapter is a folder of weights and settings: name a folder`,
    );
  }
  await assertNoModel(output);
  await assertNoModelFolder(output, paths);
  return output;
}

function optionsOf(options: ExtractOptions): SaveExtractedOptions {
  const { rank, energy, bytes, maxRank, saveModule, factorModule, exclude, dtype, baseName } = options;
  return {
    rank,
    energy,
    bytes,
    saveModules: saveModule,
    factorModules: factorModule,
    exclude,
    dtype,
    baseName,
    exact: options.exact === true,
    measure: options.measure,
    ...(maxRank !== undefined && { most: maxRank }),
    ...(options.memory !== undefined && { memory: options.memory }),
  };
}

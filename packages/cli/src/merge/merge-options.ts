import { existsSync } from "node:fs";
import { Option } from "@commander-js/extra-typings";
import {
  assertGgufFloat,
  type Checkpoint,
  DTYPES,
  type DType,
  GGUF_ENCODINGS,
  type GgufEncoding,
  hasGgufMetadata,
  isGgufEncoding,
  resolveOutputPlace,
  UsageError,
} from "@isthmus/core";
import { PATH_KINDS, type PathKind } from "@isthmus/interpolation";
import { isRecipeFile } from "@isthmus/recipe";
import { STATISTICS_POLICIES, type StatisticsPolicy } from "@isthmus/statistics";
import { assertNoModelFolder } from "@isthmus/zoo";
import { addBindingOptions, type BindingOptions } from "../options/binding-options.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { addLayerShareOptions, assertLayerShares, type LayerShareOptions } from "../options/layer-shares.ts";
import { addManyOptions, type ManyVerbOptions } from "../options/many-options.ts";
import { addMatchOptions, type MatchVerbOptions } from "../options/match-options.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { declareNeeds } from "../options/option-needs.ts";
import { parseBytes, parseNumber, parseNumbers } from "../options/parse-values.ts";
import { addImportanceOption, type QuantizingOptions } from "../options/quantizing-of.ts";
import { type AdapterOptions, addAdapterOptions, assertNoAdapterOptions } from "./adapter-options.ts";
import { addBlocksOption, type BlocksOption } from "./blocks-option.ts";
import { addRecipeOptions, assertNoRecipeOptions, type RecipeOptions } from "./recipe-options.ts";

const TYPES = [...(Object.keys(DTYPES) as DType[]).filter((dtype) => DTYPES[dtype].float), ...GGUF_ENCODINGS];

/** Options of the verb `merge`. */
export type MergeOptions = RecipeOptions &
  QuantizingOptions &
  AdapterOptions &
  EngineOptions &
  MatchVerbOptions &
  ManyVerbOptions &
  LayerShareOptions &
  BlocksOption &
  BindingOptions & {
    /**
     * Path of the result: a file ending in `.safetensors` or `.gguf`, or a folder. Absent if nothing is
     * written.
     */
    readonly output?: string | undefined;
    /** Weight of each checkpoint, `[checkpoints]`. @defaultValue 1/n for each of n, the mean */
    readonly weights?: readonly number[] | undefined;
    /** Path between two checkpoints: `linear`, or `spherical`. @defaultValue "linear" */
    readonly path: PathKind;
    /**
     * Element type of the result's floating-point tensors, or the quantised encoding of a GGUF file.
     * @defaultValue their type in the first checkpoint
     */
    readonly dtype?: DType | GgufEncoding | undefined;
    /** Largest number of bytes in one file of the result. @defaultValue one file */
    readonly maxShardSize?: number | undefined;
    /**
     * True to write NaN, infinities, and numbers that overflow `dtype`.
     * @defaultValue such results are refused
     */
    readonly allowNonFinite?: true | undefined;
    /** True to align the checkpoints to each other first. @defaultValue not aligned */
    readonly align?: true | undefined;
    /**
     * File of the architecture.
     * @defaultValue the config.json of the checkpoints, if an architecture is needed
     */
    readonly graph?: string | undefined;
    /**
     * Correction of statistics of activations.
     * @defaultValue `recalibrate` with batch norms and `--data`, else `keep`
     */
    readonly statistics?: StatisticsPolicy | undefined;
    /** Name of the examples for matching, statistics and barriers. @defaultValue none */
    readonly data?: string | undefined;
    /** Whether the checkpoints are compared before the merge; false with `--no-check`. */
    readonly check: boolean;
    /**
     * Largest loss barrier between two of the networks with which they are still merged.
     * @defaultValue not measured
     */
    readonly requireBarrier?: number | undefined;
  };

/** Options that nothing uses unless one of some others is given. */
const NEEDS = {
  data: ["graph", "align", "require-barrier"],
  "require-barrier": ["data"],
  mean: ["data"],
  std: ["data"],
  many: ["align"],
  reference: ["align"],
  judge: ["align"],
};

/** Adds the options of the verb `merge`. */
export const addMergeOptions: AddOptions<MergeOptions> = optionGroup((command) => {
  command
    .option(
      "-o, --output <path>",
      "a file ending in .safetensors, or a folder; or in .gguf if the first checkpoint, or the base of a recipe, is such a file",
    )
    .option(
      "--weights <list>",
      "one number for each checkpoint, for example .7,.3, which need not add up to 1: 1,1 is the sum, as of two adapters (default: 1/n for each of n, the mean)",
      parseNumbers,
    )
    .addOption(
      new Option("--path <kind>", "the path between two checkpoints: the line, or the arc (spherical)")
        .choices(PATH_KINDS)
        .default("linear"),
    )
    .addOption(
      new Option(
        "--dtype <type>",
        "type of the result's floating-point tensors; q4_0 to iq4_xs are encodings of GGUF (default: their type in the first checkpoint; GGUF's blocks become f32)",
      ).choices(TYPES),
    )
    .option(
      "--max-shard-size <size>",
      "most bytes in one file, for example 5GB (default: one file)",
      parseBytes,
    )
    .option(
      "--graph <file>",
      "their architecture, .onnx or model.json of a LayersModel, for --align and --statistics",
    )
    .addOption(
      new Option(
        "--statistics <policy>",
        "how statistics of activations are corrected: recalibrate batch norms, or repair all layers (default: recalibrate if there are batch norms and --data)",
      ).choices(STATISTICS_POLICIES),
    )
    .option("--data <name>", "examples for --method and --statistics, for example mnist:train@10000")
    .option("--no-check", "do not look at the checkpoints beforehand, and merge what cannot make sense")
    .option(
      "--require-barrier <x>",
      "merge only if no loss barrier between two of them, aligned if asked, is higher than x; needs --data",
      parseNumber,
    )
    .option("--allow-non-finite", "write NaN and infinities, and what overflows --dtype (default: refuse)")
    .optionsGroup(HELP_GROUPS.alignment)
    .option(
      "--align",
      "align the checkpoints to each other first; needs --graph, or a config.json with each",
    );
  command.optionsGroup(HELP_GROUPS.done);
  const reading = addBindingOptions(
    addLayerShareOptions(
      addBlocksOption(addEngineOption(addRecipeOptions(addImportanceOption(addAdapterOptions(command))))),
    ),
  );
  addMatchOptions(addManyOptions(reading), "--data");
  declareNeeds(command, NEEDS);
});

/** Checks whether a merge runs the network on examples, so that its architecture must be known. */
export function needsArchitecture({ align, graph, requireBarrier }: MergeOptions): boolean {
  return align === true || graph !== undefined || requireBarrier !== undefined;
}

/** Returns the error of a merge of too few checkpoints. */
export function tooFew(paths: readonly string[]): UsageError {
  return new UsageError(
    `Cannot merge as at least two checkpoints are needed, or one recipe that ends in .yml: got ${paths.length}`,
  );
}

function assertStatistics({ statistics, graph, data, path }: MergeOptions): void {
  const runsNetwork = statistics !== undefined && statistics !== "keep";
  if (runsNetwork && (graph === undefined || data === undefined)) {
    throw new UsageError(
      `Cannot merge with --statistics ${statistics} as it runs the network on examples: give --graph model.onnx and --data, for example mnist:train@10000`,
    );
  }
  if (statistics === "repair-closed-form" && path !== "linear") {
    throw new UsageError(
      `Cannot merge on the arc with --statistics ${statistics} as it is for the line: use repair`,
    );
  }
}

/**
 * Returns the path that a merge is written to, before the work.
 * @throws UsageError if no option names it
 * @throws InputError if it is named like a file of a format that is not written
 */
export async function outputOf({
  output,
  dtype,
  imatrix,
}: Pick<MergeOptions, "output" | "dtype" | "imatrix">): Promise<string> {
  if (output === undefined) {
    throw new UsageError(
      "Cannot merge as -o must name the result: give a file ending in .safetensors, or a folder",
    );
  }
  if (isGgufEncoding(dtype) && !output.endsWith(".gguf"))
    throw new UsageError(
      `Cannot merge into "${output}" with --dtype ${dtype} as that is an encoding of GGUF: name a file ending in .gguf, or leave it out`,
    );
  if (imatrix !== undefined && !isGgufEncoding(dtype))
    throw new UsageError(
      "Cannot merge with --imatrix as it is for quantised encodings of GGUF: add one, such as --dtype q4_k_m",
    );
  if (output.endsWith(".gguf") && dtype !== undefined && !isGgufEncoding(dtype))
    assertGgufFloat(output, dtype);
  // What a folder may hold depends on the result, a network or an adapter.
  if (!output.endsWith(".gguf") && !existsSync(output)) await resolveOutputPlace(output);
  return output;
}

/**
 * Checks, before long work, that a merged network can be written in the end.
 * @param models - files and folders of the networks
 * @throws InputError if the output is a model that is read, or a folder with weights of another
 */
export async function assertMergePlace(output: string, models: readonly string[]): Promise<void> {
  if (!output.endsWith(".gguf")) await resolveOutputPlace(output);
  await assertNoModelFolder(output, models);
}

/** Returns the element type that options name; undefined without one, or with a quantised encoding. */
export function floatTypeOf({ dtype }: Pick<MergeOptions, "dtype">): DType | undefined {
  return isGgufEncoding(dtype) ? undefined : dtype;
}

/** Notes what a result with the names and metadata of GGUF in another format is good for. */
export function noteOnGguf(
  output: string,
  metadata: Readonly<Record<string, string>>,
  note: (text: string) => void,
): void {
  if (output.endsWith(".gguf") || !hasGgufMetadata(metadata)) return;
  note(
    `"${output}" has tensors and metadata of GGUF, with which isthmus convert makes a file that llama.cpp loads; transformers does not load it, as GGUF files have no config.json.`,
  );
}

/**
 * Checks that the result can have the format that its name asks for.
 * @returns whether it is GGUF, which has the metadata of the first network; else it is safetensors
 * @throws UsageError if it should be GGUF, and the first network has no metadata of GGUF
 */
export function assertFormat(output: string, [first]: readonly Checkpoint[]): boolean {
  if (!output.endsWith(".gguf")) return false;
  if (first === undefined || hasGgufMetadata(first.metadata)) return true;
  throw new UsageError(
    `Cannot merge into "${output}" as a GGUF file has its architecture and tokenizer in its metadata, which come from the first network: "${first.source}" has none; write a file ending in .safetensors, or a folder`,
  );
}

/**
 * Checks that no recipe is among checkpoints.
 * @throws UsageError if one is
 */
function assertNoRecipes(paths: readonly string[]): void {
  const recipe = paths.find(isRecipeFile);
  if (recipe === undefined) return;
  throw new UsageError(
    `Cannot merge "${recipe}" with ${paths.length - 1} more as a recipe names all networks itself: give one recipe alone; another recipe may be the model of one`,
  );
}

/**
 * Checks that the options of a merge of checkpoints belong together, and fit the checkpoints.
 * @throws UsageError if not
 */
export function assertMergeOptions(paths: readonly string[], options: MergeOptions): void {
  assertNoRecipes(paths);
  assertNoAdapterOptions(options);
  assertNoRecipeOptions(options);
  const { weights, path, statistics } = options;
  assertStatistics(options);
  assertLayerShares(options, { paths, weights, path, statistics: statistics ?? "recalibrate" });
  if (paths.length < 2) throw tooFew(paths);
  if (weights !== undefined && weights.length !== paths.length) {
    throw new UsageError(
      `Cannot merge ${paths.length} checkpoints as --weights needs one number for each: got ${weights.length}`,
    );
  }
  if (path === "spherical" && (paths.length !== 2 || weights?.some((weight) => weight < 0))) {
    throw new UsageError(
      `Cannot merge on the arc as it joins two checkpoints with weights of at least 0: got ${paths.length} checkpoints with weights ${weights?.join(", ") ?? "equal"}`,
    );
  }
}

import { type ConvertCheckpointOptions, type DType, isDType, UsageError } from "@isthmus/core";
import type { BindingOptions } from "../options/binding-options.ts";
import type { DiffusionOptions } from "./diffusion-options.ts";

/** Options of the verb `convert`. */
export type ConvertOptions = Pick<ConvertCheckpointOptions, "dtype" | "format"> &
  BindingOptions &
  DiffusionOptions & {
    /** ONNX file with the graph that the weights belong to. @defaultValue none */
    readonly graph?: string | undefined;
    /** Largest size of a file in bytes. @defaultValue that of the format */
    readonly maxShardSize?: number | undefined;
    /** Whether values that are not finite may be written. @defaultValue false */
    readonly allowNonFinite?: true | undefined;
    /** Whether the head gets weights apart from the embedding. @defaultValue false */
    readonly untie?: true | undefined;
    /** Style of the names of an adapter. @defaultValue the input is no adapter */
    readonly adapterNames?: string | undefined;
    /** Model that an adapter changes, or folder of diffusers with settings. @defaultValue none */
    readonly base?: string | undefined;
    /** File of an importance matrix, for a quantised encoding of GGUF. @defaultValue none */
    readonly imatrix?: string | undefined;
  };

type OptionName = Exclude<keyof ConvertOptions, keyof BindingOptions | "allowNonFinite"> | "graph";

/** One of the things that `convert` writes. */
interface Output {
  /** The thing, for messages. */
  readonly thing: string;
  /** Why it takes no other options, for messages. */
  readonly reason: string;
  /** Options that it takes, beside the options of all outputs. */
  readonly takes: readonly OptionName[];
}

/** Names of the things that `convert` writes. */
export type OutputKind = "adapter" | "diffusers" | "original" | "untied" | "onnx" | "tensors";

/** Things that `convert` writes, with the options that each takes. */
const OUTPUTS: Readonly<Record<OutputKind, Output>> = {
  adapter: {
    thing: "an adapter",
    reason: "it is one small file of safetensors",
    takes: ["adapterNames", "base", "dtype", "format"],
  },
  diffusers: {
    thing: "a folder of diffusers",
    reason: "it has weights in safetensors",
    takes: ["layout", "unknown", "base", "maxShardSize", "dtype", "format"],
  },
  original: {
    thing: "a single file of a diffusion model",
    reason: "it has weights in safetensors",
    takes: ["layout", "unknown", "maxShardSize", "dtype", "format"],
  },
  untied: {
    thing: "a model whose head is its own",
    reason: "it is a folder of safetensors with a config of its own",
    takes: ["untie", "maxShardSize", "dtype", "format"],
  },
  onnx: {
    thing: "an ONNX file",
    reason: "its graph says the types of weights, which lie in one file",
    takes: ["graph"],
  },
  tensors: {
    thing: "the tensors of a model",
    reason: "these keep their names",
    takes: ["maxShardSize", "dtype", "format", "imatrix", "vae", "ema"],
  },
};

/** Options that only some outputs take, with their spelling on the command line. */
const CHECKED: Readonly<Partial<Record<OptionName, string>>> = {
  adapterNames: "--adapter-names",
  layout: "--layout",
  untie: "--untie",
  graph: "--graph",
  unknown: "--unknown",
  base: "--base",
  vae: "--vae",
  ema: "--ema",
  maxShardSize: "--max-shard-size",
  imatrix: "--imatrix",
  dtype: "--dtype",
  format: "--format",
};

/** A thing to be written, and the element type of its weights. */
export interface ChosenOutput {
  /** Name of the thing. */
  readonly kind: OutputKind;
  /** Element type of the weights, if the thing is written as safetensors. @defaultValue that of the input */
  readonly dtype: DType | undefined;
}

/**
 * Chooses what to write by the options, and checks that it takes all of them.
 * @param output - path of the output, whose end may tell the format
 * @throws UsageError if an option is for another output
 */
export function chooseOutput(output: string, options: ConvertOptions): ChosenOutput {
  const kind = kindOf(output, options);
  const { thing, reason, takes } = OUTPUTS[kind];
  for (const [name, flag] of Object.entries(CHECKED) as [OptionName, string][]) {
    if (options[name] === undefined || takes.includes(name)) continue;
    throw new UsageError(`Cannot write ${thing} with ${flag} as ${reason}: leave it out${otherUse(name)}`);
  }
  const { dtype, format = "safetensors" } = options;
  if (kind === "tensors" || kind === "onnx") return { kind, dtype: undefined };
  if (format === "safetensors" && (dtype === undefined || isDType(dtype))) return { kind, dtype };
  throw new UsageError(
    `Cannot write ${thing} with a --dtype that is an encoding or another --format than safetensors as ${reason}: leave these out, and convert the output after`,
  );
}

function kindOf(output: string, options: ConvertOptions): OutputKind {
  if (options.adapterNames !== undefined) return "adapter";
  if (options.layout !== undefined) return options.layout;
  if (options.untie) return "untied";
  const isOnnx = options.graph !== undefined || (options.format === undefined && output.endsWith(".onnx"));
  return isOnnx ? "onnx" : "tensors";
}

/** Says with which option another one can be used; nothing for the options that choose an output. */
function otherUse(name: OptionName): string {
  if (name === "base") return ", or add --adapter-names or --layout diffusers";
  return name === "unknown" ? ", or add --layout" : "";
}

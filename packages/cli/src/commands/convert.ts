import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import {
  at,
  convertCheckpoint,
  DTYPES,
  type DType,
  GGUF_ENCODINGS,
  hasGgufMetadata,
  isDType,
  openCheckpoint,
  SCALED_ENCODINGS,
  saveFile,
  UsageError,
  WRITTEN_FORMATS,
  withCheckpoints,
} from "@isthmus/core";
import { encodeNetwork } from "@isthmus/graph";
import { copyModelFiles, untieModel } from "@isthmus/recipe";
import { assertNoModelFolder, openBound } from "@isthmus/zoo";
import { ADAPTER_NAMES, convertAdapter } from "../convert/convert-adapter.ts";
import { convertLayout } from "../convert/convert-layout.ts";
import { addDiffusionOptions } from "../convert/diffusion-options.ts";
import { type ConvertOptions, chooseOutput } from "../convert/outputs.ts";
import { withDiffusion } from "../convert/with-diffusion.ts";
import { formatBytes } from "../format/format-table.ts";
import { noteDequantized } from "../format/note-dequantized.ts";
import { readingOf } from "../open/reading-of.ts";
import { addBindingOptions } from "../options/binding-options.ts";
import type { EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { parseBytes } from "../options/parse-values.ts";
import { quantizingOf } from "../options/quantizing-of.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

/** Summary of the written files, in the same form as `convertCheckpoint` returns it. */
interface Written {
  readonly path: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

const TYPES = [
  ...(Object.keys(DTYPES) as DType[]).filter((dtype) => DTYPES[dtype].float),
  ...GGUF_ENCODINGS,
  ...SCALED_ENCODINGS,
];

const EXAMPLES = formatExamples(
  ["isthmus convert model.pt model.safetensors", "no code of the file is run"],
  ["isthmus convert model.gguf model/ --dtype bf16 --max-shard-size 5GB", "unpack blocks, in shards"],
  ["isthmus convert merged.gguf small.gguf --dtype q4_k_m", "quantise as llama.cpp does, bit for bit"],
  [
    "isthmus convert merged.gguf small.gguf --dtype iq4_xs --imatrix imatrix.gguf",
    "with less error in columns that matter",
  ],
  ["isthmus convert big.gguf split.gguf --max-shard-size 5GB", "in shards, as llama-gguf-split does"],
  ["isthmus convert model.onnx weights.npz", "the tensors that a graph contains, for NumPy"],
  ["isthmus convert merged.safetensors merged.onnx --graph model.onnx", "one file for any ONNX runtime"],
  ["isthmus convert gpt2/ gpt2-untied/ --untie", "a head apart from the embedding, to align by rotations"],
  ["isthmus convert model.safetensors web/model.json --dtype f16", "for TensorFlow.js, in files of 4 MB"],
  [
    "isthmus convert merged.safetensors baked.safetensors --vae vae.safetensors --ema drop --dtype f16",
    "a diffusion model with another autoencoder, without averages",
  ],
  [
    "isthmus convert flux.safetensors flux-fp8.safetensors --dtype fp8_scaled",
    "8-bit floats with scales, as ComfyUI reads them",
  ],
  ["isthmus convert style.safetensors style/ --adapter-names peft", "an adapter of kohya, for PEFT"],
  [
    "isthmus convert sdxl.safetensors sdxl/ --layout diffusers",
    "one file of a diffusion model, for diffusers",
  ],
  ["isthmus convert sdxl/ sdxl.safetensors --layout original", "and back, for ComfyUI and others"],
);

/** Creates the command `isthmus convert`. */
export function convertVerb(run: RunVerb): CommandUnknownOpts {
  return addBindingOptions(addDiffusionOptions(createConvertVerb()))
    .addHelpText("after", EXAMPLES)
    .action((input, output, options) => run(options, (context) => convert(input, output, options, context)));
}

function createConvertVerb() {
  return createVerb("convert", HELP_GROUPS.done)
    .argument("<input>", "a checkpoint of any format that isthmus inspect shows")
    .argument(
      "<output>",
      "a file ending in .safetensors, .pt, .npz, .gguf, .onnx with --graph, or .json for the weights of a LayersModel of TensorFlow.js; or a folder for safetensors: a name without an ending or with a slash, or one that is there; it gets config and tokenizer if the input is a model",
    )
    .addOption(
      new Option(
        "--dtype <type>",
        "type of all floating-point tensors; q4_0 to iq4_xs are encodings of GGUF; fp8_scaled stores matrices as 8-bit floats with scales, for ComfyUI (default: unchanged)",
      ).choices(TYPES),
    )
    .addOption(
      new Option("--format <format>", "format to write (default: by the ending of the output)").choices(
        WRITTEN_FORMATS,
      ),
    )
    .option(
      "--max-shard-size <size>",
      "most bytes in one file of safetensors or GGUF, for example 5GB, or of TensorFlow.js (default: one file; 4 MB)",
      parseBytes,
    )
    .option(
      "--imatrix <file>",
      "for encodings of GGUF: importance of columns, as llama-imatrix measures it (.gguf or .dat)",
    )
    .option("--graph <file>", "the graph to write the weights into, for an output ending in .onnx")
    .option(
      "--untie",
      "give a model whose head is its embedding a head of its own, a copy of it: a folder becomes a folder that computes the same, and whose residual stream align --method learned may rotate",
    )
    .addOption(
      new Option(
        "--adapter-names <names>",
        "name the tensors of an adapter (LoRA, and LoHa and LoKr as LoRA) as another program does, with scales where that looks for them: a file or folder; for peft a folder, or one in it for each network of a pipeline",
      ).choices(Object.keys(ADAPTER_NAMES)),
    )
    .option(
      "--base <model>",
      "the network that an adapter changes, for --adapter-names: it tells where dots stand in names of kohya, and the shapes of convolutions that LoHa and LoKr change; for --layout diffusers a folder of the same architecture, whose settings and tokenizers are taken",
    )
    .option("--allow-non-finite", "write NaN and infinities, and what overflows --dtype (default: refuse)");
}

async function convert(
  input: string,
  output: string,
  options: ConvertOptions,
  context: Context,
): Promise<Outcome> {
  const { dtype, format } = options;
  await assertNoModelFolder(output, [input]);
  const written = await writeConverted(input, output, options, context);
  const isGguf = format === "gguf" || (format === undefined && output.endsWith(".gguf"));
  if (isGguf) await noteUnlessLoadable(written.path, context);
  const files = written.files.length === 1 ? "" : `, ${written.files.length} files`;
  return {
    result: { input, output: written, dtype: dtype ?? null },
    text: `Wrote ${written.path} (${formatBytes(written.bytes)}${files})`,
  };
}

/** Writes the thing that the options choose. */
async function writeConverted(
  input: string,
  output: string,
  options: ConvertOptions,
  context: Context,
): Promise<Written> {
  const { format, maxShardSize, allowNonFinite, adapterNames, base, vae, ema } = options;
  const { layout, unknown = "keep" } = options;
  const { kind, dtype } = chooseOutput(output, options);
  const onNote = context.terminal.note;
  const saving = {
    ...(maxShardSize === undefined ? {} : { maxShardBytes: maxShardSize }),
    dtype,
    allowNonFinite: allowNonFinite ?? false,
    overwrite: true,
    signal: context.signal,
    onProgress: ({ done }: { readonly done: number }) => context.progress("Writing", done),
  };
  if (adapterNames !== undefined) return convertAdapter(input, output, { names: adapterNames, base, saving });
  if (layout !== undefined) return convertLayout(input, output, { layout, unknown, base, onNote, saving });
  if (kind === "untied") return untieModel(input, output, { ...saving, onNote });
  if (kind === "onnx") return convertToOnnx(input, output, options, context);
  const quantizing = await quantizingOf(options, context);
  const written = await withDiffusion(input, { vae, ema }, (checkpoint) => {
    noteDequantized([checkpoint], context);
    return convertCheckpoint(checkpoint, output, { ...saving, dtype: options.dtype, format, ...quantizing });
  });
  if (format !== undefined && format !== "safetensors") return written;
  // A folder that was converted from a model's folder is a model, too.
  const type = options.dtype !== undefined && isDType(options.dtype) ? options.dtype : undefined;
  const copied = await copyModelFiles(input, output, { dtype: type, onNote });
  return { ...written, files: [...written.files, ...copied] };
}

/**
 * Notes on standard error that no program can load a GGUF file as a model if its metadata do not describe
 * one.
 */
async function noteUnlessLoadable(path: string, { terminal }: Context): Promise<void> {
  await using written = await openCheckpoint(path);
  if (hasGgufMetadata(written.metadata)) return;
  terminal.note(
    `"${path}" has no general.architecture in its metadata, so llama.cpp does not load it as a model: metadata come from a GGUF file alone, also by way of safetensors.`,
  );
}

/**
 * Writes a checkpoint as one ONNX model: the graph that is named, with the weights of the checkpoint inside.
 * @throws UsageError if no graph is named, or the output does not end in .onnx
 */
async function convertToOnnx(
  input: string,
  output: string,
  options: ConvertOptions & Partial<EngineOptions>,
  context: Context,
): Promise<Written> {
  const { graph } = options;
  if (graph === undefined) {
    throw new UsageError(
      `Cannot write "${output}" as an ONNX file must have the graph that the weights belong to: add --graph model.onnx`,
    );
  }
  if (!output.endsWith(".onnx")) {
    throw new UsageError(
      `Cannot convert to "${output}" with --graph as only a file ending in .onnx has a graph: leave --graph out`,
    );
  }
  return withCheckpoints([input] as const, async ([checkpoint]) => {
    noteDequantized([checkpoint], context);
    const { architecture } = await openBound([input], [checkpoint], {}, await readingOf(options, context));
    const { network } = at(architecture.networks, 0, "network");
    context.progress("Encoding");
    const bytes = await encodeNetwork(architecture.graph, network);
    await saveFile(output, bytes, [...checkpoint.files, graph]);
    return { path: output, files: [output], bytes: bytes.length };
  });
}

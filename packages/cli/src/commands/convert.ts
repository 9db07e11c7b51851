import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import {
  type ConvertCheckpointOptions,
  convertCheckpoint,
  DTYPES,
  type DType,
  WRITTEN_FORMATS,
} from "@isthmus/core";
import { formatBytes } from "../format/format-table.ts";
import { parseBytes } from "../options/parse-values.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

const TYPES = [...(Object.keys(DTYPES) as DType[]).filter((dtype) => DTYPES[dtype].float), "q8_0"] as const;

/** Options of the verb `convert`. */
type ConvertOptions = Pick<ConvertCheckpointOptions, "dtype" | "format"> & {
  readonly maxShardSize?: number | undefined;
  readonly allowNonFinite?: true | undefined;
};

/** Creates the command `isthmus convert`. */
export function convertVerb(run: RunVerb): CommandUnknownOpts {
  return createVerb("convert")
    .argument("<input>", "a checkpoint of any format that isthmus inspect shows")
    .argument(
      "<output>",
      "a file ending in .safetensors, .pt, .npz, .gguf, or .json for the weights of a LayersModel of TensorFlow.js; or a folder for safetensors: a name without an ending or with a slash, or one that is there",
    )
    .addOption(
      new Option(
        "--dtype <type>",
        "type of all floating-point tensors, q8_0 only in GGUF (default: unchanged)",
      ).choices(TYPES),
    )
    .addOption(
      new Option("--format <format>", "format to write (default: by the ending of the output)").choices(
        WRITTEN_FORMATS,
      ),
    )
    .option(
      "--max-shard-size <size>",
      "most bytes in one file of safetensors, for example 5GB, or of TensorFlow.js (default: one file; 4 MB)",
      parseBytes,
    )
    .option("--allow-non-finite", "write NaN and infinities, and what overflows --dtype (default: refuse)")
    .addHelpText(
      "after",
      formatExamples(
        ["isthmus convert model.pt model.safetensors", "no code of the file is run"],
        ["isthmus convert model.gguf model/ --dtype bf16 --max-shard-size 5GB", "unpack blocks, in shards"],
        ["isthmus convert model.safetensors model.gguf --dtype q8_0", "pack into blocks of 8 bits"],
        ["isthmus convert model.onnx weights.npz", "the tensors that a graph contains, for NumPy"],
        [
          "isthmus convert model.safetensors web/model.json --dtype f16",
          "for TensorFlow.js, in files of 4 MB",
        ],
      ),
    )
    .action((input, output, options) => run(options, (context) => convert(input, output, options, context)));
}

async function convert(
  input: string,
  output: string,
  { dtype, format, maxShardSize, allowNonFinite }: ConvertOptions,
  { signal, progress }: Context,
): Promise<Outcome> {
  const written = await convertCheckpoint(input, output, {
    dtype,
    format,
    ...(maxShardSize === undefined ? {} : { maxShardBytes: maxShardSize }),
    allowNonFinite: allowNonFinite ?? false,
    overwrite: true,
    signal,
    onProgress: ({ done }) => progress("Writing", done),
  });
  const files = written.files.length === 1 ? "" : `, ${written.files.length} files`;
  return {
    result: { input, output: written, dtype: dtype ?? null },
    text: `Wrote ${written.path} (${formatBytes(written.bytes)}${files})`,
  };
}

import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { at, describeMaking, saveCheckpoint } from "@isthmus/core";
import {
  QUANTIZE_DEFAULTS,
  QUANTIZE_SCHEMES,
  QUANTIZED_BITS,
  type QuantizeResult,
  type QuantizeScheme,
  quantizeNetwork,
} from "@isthmus/sparsity";
import { formatOutputs } from "../format/format-outputs.ts";
import { formatTable } from "../format/format-table.ts";
import { withCheckpoints } from "../open/open-checkpoints.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { parseNames } from "../options/parse-values.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface QuantizeVerbOptions {
  readonly bits: `${(typeof QUANTIZED_BITS)[number]}`;
  readonly scheme: QuantizeScheme;
  readonly layers?: readonly string[] | undefined;
  readonly output: string;
}

const BITS = ["8", "4"] as const satisfies readonly `${(typeof QUANTIZED_BITS)[number]}`[];

/** Creates the command `isthmus quantize`. */
export function quantizeVerb(run: RunVerb): CommandUnknownOpts {
  return createVerb("quantize", HELP_GROUPS.done)
    .argument("<network>", "the checkpoint: a file, or a folder")
    .addOption(
      new Option("--bits <n>", "bits of a weight")
        .choices(BITS)
        .default(`${QUANTIZE_DEFAULTS.bits}` as const),
    )
    .addOption(
      new Option(
        "--scheme <scheme>",
        "one scale for each output channel, along the first axis as PyTorch has them, or for each tensor",
      )
        .choices(QUANTIZE_SCHEMES)
        .default(QUANTIZE_DEFAULTS.scheme),
    )
    .option(
      "--layers <names>",
      "weights, for example conv*,fc1.weight (default: all of two or more axes)",
      parseNames,
    )
    .requiredOption(
      "-o, --output <path>",
      "the network with its weights on the grid, as floating-point numbers: a file ending in .safetensors, or a folder",
    )
    .addHelpText("after", EXAMPLES)
    .action((path, options) => run(options, (context) => quantize(path, options, context)));
}

const EXAMPLES = formatExamples(
  [
    "isthmus quantize a.safetensors --bits 4 -o a4.safetensors",
    "then measure it as any network: isthmus barrier a.safetensors a4.safetensors --graph model.onnx --data mnist:test",
  ],
  [
    "isthmus quantize a.pt --scheme tensor --layers 'features.*' -o a8.safetensors",
    "one scale for each tensor",
  ],
);

async function quantize(path: string, options: QuantizeVerbOptions, context: Context): Promise<Outcome> {
  const { scheme, layers, output } = options;
  const bits = QUANTIZED_BITS.find((number) => `${number}` === options.bits) ?? QUANTIZE_DEFAULTS.bits;
  return withCheckpoints([path], async (checkpoints) => {
    const network = at(checkpoints, 0, "network");
    context.progress("Quantising");
    const { weights, result } = await quantizeNetwork(network, { bits, scheme, layers });
    const { files } = await saveCheckpoint(weights, output, {
      metadata: describeMaking([network], { verb: "quantize", version: context.version, bits, scheme }),
      ...{ overwrite: true, signal: context.signal },
    });
    return { result: { ...result, outputs: files }, text: format(result) + formatOutputs(files) };
  });
}

function format({ network, bits, scheme, layers }: QuantizeResult): string {
  const grid = `${bits} bits, one scale ${scheme === "channel" ? "for each output channel" : "for each weight"}`;
  const table = formatTable(
    [
      { title: "weight" },
      { title: "elements", align: "right" },
      { title: "scales", align: "right" },
      { title: "relative error", align: "right" },
    ],
    layers.map(({ name, elements, scales, relativeError }) => [
      name,
      elements.toLocaleString("en-US"),
      scales.toLocaleString("en-US"),
      `${(100 * relativeError).toPrecision(3)} %`,
    ]),
  );
  return `Weights of ${network} on the grid of ${grid}\n\n${table}`;
}

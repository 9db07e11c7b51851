import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { at, describeMaking, saveCheckpoint } from "@isthmus/core";
import {
  QUANTIZE_FIELDS,
  type QuantizeChoice,
  type QuantizeResult,
  quantizeNetwork,
} from "@isthmus/sparsity";
import { formatOutputs } from "../format/format-outputs.ts";
import { formatTable } from "../format/format-table.ts";
import { addFieldOptions, readFields } from "../measurement/field-options.ts";
import { withCheckpoints } from "../open/open-checkpoints.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

/** Creates the command `isthmus quantize`. */
export function quantizeVerb(run: RunVerb): CommandUnknownOpts {
  const command = createVerb("quantize", HELP_GROUPS.done).argument(
    "<network>",
    "the checkpoint: a file, or a folder",
  );
  addFieldOptions(command, QUANTIZE_FIELDS);
  return command
    .requiredOption(
      "-o, --output <path>",
      "the network with its weights on the grid, as floating-point numbers: a file ending in .safetensors, or a folder",
    )
    .addHelpText("after", EXAMPLES)
    .action((path, options) =>
      run(options, (context) => {
        return quantize(
          { path, output: options.output, choice: readFields("quantize", command, QUANTIZE_FIELDS) },
          context,
        );
      }),
    );
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

interface Quantization {
  readonly path: string;
  readonly output: string;
  readonly choice: QuantizeChoice;
}

async function quantize({ path, output, choice }: Quantization, context: Context): Promise<Outcome> {
  return withCheckpoints([path], async (checkpoints) => {
    const network = at(checkpoints, 0, "network");
    context.progress("Quantising");
    const { weights, result } = await quantizeNetwork(network, choice);
    const { bits, scheme } = result;
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

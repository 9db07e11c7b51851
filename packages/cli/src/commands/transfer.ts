import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { at, type Checkpoint, describeMaking, UsageError, withCheckpoints } from "@isthmus/core";
import { MAP_METHODS, type TransferTaskResult, transferTask } from "@isthmus/fusion";
import { assertArchitecture, openBound } from "@isthmus/zoo";
import { proofScope } from "../format/format-proof.ts";
import { formatTransfer } from "../format/format-transfer.ts";
import { readingOf } from "../open/reading-of.ts";
import { addBindingOptions } from "../options/binding-options.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { addMatchOptions, matchingOf } from "../options/match-options.ts";
import { parseScales } from "../options/parse-values.ts";
import { assertNetworkOutput } from "../output/assert-output.ts";
import { finish, isAcrossWidths, transferAcross } from "../transfer/transfer-across.ts";
import {
  recalibrationData,
  TRANSFER_PHASES,
  type TransferVerbOptions,
} from "../transfer/transfer-options.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

/** Creates the command `isthmus transfer`. */
export function transferVerb(run: RunVerb): CommandUnknownOpts {
  return addMatchOptions(addBindingOptions(addEngineOption(createTransferVerb())), "--match-data")
    .addHelpText("after", COLUMNS)
    .addHelpText("after", EXAMPLES)
    .action((baseA, tunedA, baseB, options) =>
      run(options, (context) => transfer([baseA, tunedA, baseB], options, context)),
    );
}

const COLUMNS = `
The table lists the tensors that fine-tuning changed most: the norm of the change, also as a share of the norm of the
weight; how much of it alignment moved (0 % where units kept their places, about 100 % where all went elsewhere); and
how much of its square --mask-by-sign kept (100 % without it).
`;

const EXAMPLES = formatExamples(
  [
    "isthmus transfer base-a.pt tuned-a.pt base-b.pt --graph model.onnx -o tuned-b.safetensors",
    "what fine-tuning did to A, done to B",
  ],
  [
    "isthmus transfer llama-a llama-a-chat llama-b -o llama-b-chat --scale 0.5",
    "half of it; model folders with config.json need no graph",
  ],
  [
    "isthmus transfer a.pt tuned.pt b.pt --graph model.onnx --scale 0.25:1.5:0.25 --data npz:valid.npz -o out.safetensors",
    "try several scales, and take the one of the least loss on labelled examples",
  ],
  [
    "isthmus transfer a.pt tuned.pt b.pt --graph model.onnx --mask-by-sign npz:train.npz@100 -o out.safetensors",
    "leave out what would go up the gradient of B on a few examples",
  ],
  [
    "isthmus transfer small.pt tuned.pt large.pt --graph small.onnx --graph-b large.onnx --match-data images:photos -o out.safetensors",
    "to a base of another width, by maps found on examples without labels",
  ],
);

function createTransferVerb() {
  return createVerb("transfer", HELP_GROUPS.done)
    .argument("<base-a>", "the checkpoint that was fine-tuned: a file, or a folder")
    .argument("<tuned-a>", "the fine-tune of it")
    .argument("<base-b>", "the checkpoint that the fine-tune is moved to; the result has its names and types")
    .option(
      "--graph <file>",
      "their architecture, .onnx or model.json of a LayersModel (default: from their config.json)",
    )
    .option(
      "--graph-b <file>",
      "the architecture of base B, if it is wider or narrower than A (default: from its config.json)",
    )
    .requiredOption("-o, --output <path>", "the new fine-tune (a file ending in .safetensors, or a folder)")
    .addOption(
      new Option(
        "--scale <x>",
        "what the difference of tuned A to base A is multiplied by; 0.5,1 or 0.25:1.5:0.25 (from, to, step) try several on --data",
      )
        .argParser(parseScales)
        .default([1], "1"),
    )
    .option("--data <name>", `labelled examples to try scales on; ${dataForms()}`)
    .option(
      "--mask-by-sign <name>",
      "a few labelled examples, such as NAME@100: elements that go up the gradient of B on them are left out",
    )
    .addOption(
      new Option("--statistics <policy>", STATISTICS_TEXT)
        .choices(["keep", "recalibrate"] as const)
        .default("keep" as const)
        .makeOptionMandatory(),
    )
    .optionsGroup(HELP_GROUPS.alignment)
    .option("--match-data <name>", "examples for --method (default: those of --data)")
    .option("--no-align", "add the difference without alignment, if A and B are relatives")
    .addOption(new Option("--maps <method>", MAPS_TEXT).choices(MAP_METHODS))
    .option("--mix-units", MIX_TEXT)
    .option("--move-embeddings", EMBEDDINGS_TEXT)
    .optionsGroup(HELP_GROUPS.reading)
    .option(
      "--exported-from-b <checkpoint>",
      "the checkpoint that --graph-b was exported from, if not base B",
    );
}

const MAPS_TEXT =
  "how units of A are mapped to a base B of another width: streams by activations on --match-data, and all else by weights (weights, the default) or activations; random and padded look at neither network, for comparison";
const MIX_TEXT =
  "map hidden units by matrices, too, across widths, instead of one to one: base A is then kept only about";
const EMBEDDINGS_TEXT =
  "add the task also to the weights that turn tokens, patches or positions into a residual stream, across widths";
const STATISTICS_TEXT = "statistics of batch norms: moved as the weights are, or measured anew on --data";

async function transfer(
  paths: readonly [string, string, string],
  options: TransferVerbOptions,
  context: Context,
): Promise<Outcome> {
  return withCheckpoints(paths, async (checkpoints) => {
    const { output } = options;
    const { graph, graphB, exportedFrom, exportedFromB } = options;
    const named = [graph, graphB, exportedFrom, exportedFromB].filter((path) => path !== undefined);
    const inputs = [...checkpoints.flatMap(({ files }) => files), ...named];
    assertOptions(options);
    await assertNetworkOutput(output, { inputs, models: paths });
    if (isAcrossWidths(options, checkpoints)) return transferAcross(paths, checkpoints, options, context);
    await assertArchitecture("transfer", paths, options);
    const matchData = options.method === "weight" ? undefined : options.matchData;
    const names = { data: options.data, maskBySign: options.maskBySign, matchData };
    const opened = await openBound(paths, checkpoints, names, await readingOf(options, context));
    const { networks, binding, ...architecture } = opened.architecture;
    const { data, maskBySign, matchData: matching = data } = Object.fromEntries(opened.examples);
    const result = await transferTask(
      architecture,
      {
        baseA: at(networks, 0, "network"),
        tunedA: at(networks, 1, "network"),
        baseB: at(networks, 2, "network"),
      },
      {
        align: options.align && matchingOf(options, matching),
        scale: options.scale,
        // One scale is measured, too, if there are examples.
        data,
        maskBySign,
        recalibrate: recalibrationData(options, data),
        signal: context.signal,
        onProgress: ({ phase, done }) => context.progress(TRANSFER_PHASES[phase], done),
      },
    );
    const outputs = await finish(paths, result, options, {
      ...context,
      making: describeTransfer(checkpoints, result, options, context),
    });
    return {
      result: { ...result.summary, binding, outputs },
      text: formatTransfer(result.summary, proofScope(options, binding), outputs),
    };
  });
}

/**
 * Checks that the options do not contradict each other, and name examples if they are needed.
 * @throws UsageError if not
 */
function assertOptions({
  data,
  statistics,
  align,
  normalize,
  only,
  skip,
  method,
}: TransferVerbOptions): void {
  if (statistics === "recalibrate" && data === undefined) {
    throw new UsageError(
      "Cannot transfer with --statistics recalibrate as it needs examples: add --data, for example --data mnist:train",
    );
  }
  const matching = { normalize, only, skip, method: method === "weight" ? undefined : method };
  const [name] = Object.entries(matching).flatMap(([option, value]) => (value === undefined ? [] : [option]));
  if (align || name === undefined) return;
  throw new UsageError(
    `Cannot transfer with --no-align and --${name} as nothing is matched then: leave one out`,
  );
}

/** Describes how the result was made, for its metadata. */
function describeTransfer(
  networks: readonly Checkpoint[],
  { summary }: TransferTaskResult,
  { method, seed, restarts, search, only, skip, normalize, ...options }: TransferVerbOptions,
  { maker }: Context,
): Record<string, string> {
  const { align, maskBySign, statistics } = options;
  return describeMaking(networks, {
    verb: "transfer",
    ...maker,
    scale: summary.scale,
    maskBySign,
    statistics,
    ...(align ? { method, seed, restarts, search, only, skip, normalize } : { align }),
  });
}

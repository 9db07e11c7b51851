import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { at } from "@isthmus/core";
import { PRUNING_FIELDS, type PruneChoice, SPARSITY_FIELD } from "@isthmus/sparsity";
import { formatResult } from "../format/format-result.ts";
import { openWithGraph } from "../making/open-start.ts";
import { writeNetwork } from "../making/write-network.ts";
import { addFieldOptions } from "../measurement/field-options.ts";
import { addScalingOptions } from "../open/open-data.ts";
import { addBindingOptions } from "../options/binding-options.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { MOST, parseCount, parseLayerShares, parseNumber, parseSeed } from "../options/parse-values.ts";
import { addTicketOptions } from "../options/ticket-options.ts";
import { nameState } from "../training/training-files.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";
import { pruneAndMeasure } from "./prune/prune-and-measure.ts";
import { assertPruneOptions, type PruneVerbOptions, roundsOf } from "./prune/prune-verb-options.ts";

/** Creates the command `isthmus prune`. */
export function pruneVerb(run: RunVerb): CommandUnknownOpts {
  return addBindingOptions(
    addScalingOptions(addEngineOption(addTicketOptions(addPruning(createPruneVerb())))),
  )
    .addHelpText("after", EXAMPLES)
    .action((path, options) => run(options, (context) => prune(path, options, context)));
}

/** Adds the options that choose the weights to prune. */
const addPruning: AddOptions<{ readonly by: PruneChoice; readonly layers?: readonly string[] | undefined }> =
  optionGroup((command) => addFieldOptions(command, PRUNING_FIELDS));

function createPruneVerb() {
  return createVerb("prune", HELP_GROUPS.done)
    .argument("<network>", "the checkpoint: a file, or a folder")
    .option(
      "--graph <file>",
      "its architecture, .onnx or model.json of a LayersModel (default: from its config.json)",
    )
    .requiredOption("--sparsity <share>", SPARSITY_FIELD.help, parseNumber)
    .option("--shares <list>", "other shares by layer or units, such as conv*=.5,fc=.9", parseLayerShares)
    .option("--data <name>", `examples to measure losses on; ${dataForms()}`)
    .option("--train-data <name>", "examples to train on after pruning (default: --data)")
    .option(
      "--epochs <n>",
      "times each is seen, with pruned weights held at zero",
      parseCount(0, MOST.epochs),
      0,
    )
    .option("--lr <x>", "learning rate, falling to 0 along half a cosine", parseNumber, 0.01)
    .option("--batch <n>", "examples in a step", parseCount(1))
    .option("--seed <n>", "seed of the order of examples", parseSeed, 0)
    .option(
      "--resume",
      "go on from OUTPUT.state.safetensors, or OUTPUT.rounds, if an interrupted run left it",
    )
    .requiredOption("-o, --output <path>", "the pruned network: a file ending in .safetensors, or a folder")
    .option("--save-result <file>", "write sparsities and losses, too (.json)")
    .option("--report <file>", "write a page with figures and all numbers (.html)");
}

const EXAMPLES = formatExamples(
  [
    "isthmus prune a.safetensors --graph model.onnx --sparsity 0.9 -o pruned.safetensors",
    "nine of ten weights, wherever the least are",
  ],
  [
    "isthmus prune a.pt --graph cnn.onnx --sparsity 0.5 --by units --data mnist:test --train-data mnist --epochs 2 -o small.safetensors --report prune.html",
    "half of the channels, trained on with the others at zero, losses before and after on a page",
  ],
  [
    "isthmus prune start.safetensors --graph mlp.onnx --sparsity 0.95 --rewind 1 --rounds 6 --epochs 5 --lr 0.05 --train-data mnist --data mnist:test -o ticket.safetensors",
    "a lottery ticket: trained, pruned and set back to the weights after an epoch six times, with the barrier between rounds",
  ],
  [
    "isthmus prune start.safetensors --graph mlp.onnx --sparsity 0.8 --rewind 0 --method evolution --generations 1000 --train-data mnist@5000 --data mnist:test -o ticket.safetensors",
    "the same without gradients, by the ratio of mean to standard deviation",
  ],
  [
    "isthmus prune a.pt --graph cnn.onnx --sparsity 0.8 --by layer --shares 'conv1.*=.3' -o pruned.safetensors",
    "less of the first layer",
  ],
);

function prune(path: string, options: PruneVerbOptions, context: Context): Promise<Outcome> {
  assertPruneOptions(options);
  const { output, report, saveResult, sparsity, by, data, trainData } = options;
  const verb = "prune";
  const paths = [path];
  const opening = openWithGraph({ verb, paths, reading: options, examples: { data, trainData } });
  const states = [nameState(output), roundsOf(output)];
  const request = { verb, paths, opening, output, report, saveResult, states };
  return writeNetwork(request, context, async ({ architecture, networks, examples }) => {
    const measured = examples["data"];
    const { weights, result } = await pruneAndMeasure(
      { architecture, network: at(networks, 0, "network"), options },
      { measured, trained: examples["trainData"] ?? measured },
      context,
    );
    const text = await formatResult(result, context.terminal);
    return { weights, result, making: { sparsity, by }, text };
  });
}

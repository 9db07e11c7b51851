import { rm } from "node:fs/promises";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { at, describeMaking, saveCheckpoint } from "@isthmus/core";
import { PRUNING_FIELDS, type PruneChoice, SPARSITY_FIELD } from "@isthmus/sparsity";
import { assertArchitecture, dataContext, fitToData } from "@isthmus/zoo";
import { formatOutputs } from "../format/format-outputs.ts";
import { formatPruning } from "../format/format-pruning.ts";
import { addFieldOptions } from "../measurement/field-options.ts";
import { addBindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { withCheckpoints } from "../open/open-checkpoints.ts";
import { addScalingOptions, openExamples } from "../open/open-data.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { MOST, parseCount, parseLayerShares, parseNumber, parseSeed } from "../options/parse-values.ts";
import { addTicketOptions } from "../options/ticket-options.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";
import { pruneAndMeasure } from "./prune/prune-and-measure.ts";
import { assertPruneOptions, type PruneVerbOptions, roundsOf, stateOf } from "./prune/prune-verb-options.ts";

/** Creates the command `isthmus prune`. */
export function pruneVerb(run: RunVerb): CommandUnknownOpts {
  return addBindingOptions(
    addScalingOptions(addEngineOption(addTicketOptions(addPruning(createPruneVerb())))),
  )
    .addHelpText("after", EXAMPLES)
    .action((path, options) => run(options, (context) => prune(path, options, context)));
}

/** Adds the options on what is pruned. */
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

async function prune(path: string, options: PruneVerbOptions, context: Context): Promise<Outcome> {
  const { output, report, saveResult: saved } = options;
  if (report !== undefined) assertPageName(report);
  assertPruneOptions(options);
  return withCheckpoints([path], async (checkpoints) => {
    const named = [options.graph, options.exportedFrom].filter((file) => file !== undefined);
    const inputs = [...checkpoints.flatMap(({ files }) => files), ...named];
    const results = [saved, report].filter((file) => file !== undefined);
    for (const file of results) await assertOutput(file, inputs);
    await assertArchitecture("prune", [path], options);
    const read = await openSharedArchitecture([path], options);
    const open = (name: string) => openExamples(name, options, dataContext(read));
    const measured = options.data === undefined ? undefined : await open(options.data);
    const trained = options.trainData === undefined ? measured : await open(options.trainData);
    const example = measured ?? trained;
    const fitted = example === undefined ? read : fitToData(read, example);
    const bound = await bindArchitecture(fitted, checkpoints, options, context);
    const { network, restore } = at(bound.networks, 0, "network");
    const { weights, result } = await pruneAndMeasure(
      { architecture: bound, network, options },
      { measured, trained },
      context,
    );
    const { files } = await saveCheckpoint(restore(weights), output, {
      metadata: describeMaking(checkpoints, {
        ...{ verb: "prune", version: context.version, sparsity: options.sparsity, by: options.by },
      }),
      ...{ overwrite: true, signal: context.signal },
    });
    for (const left of [stateOf(output), roundsOf(output)]) await rm(left, { force: true, recursive: true });
    await saveResult(result, { output: saved, report }, { inputs, context });
    return {
      result: { ...result, binding: bound.binding, outputs: [...files, ...results] },
      text: formatPruning(result) + formatOutputs([...files, ...results]),
    };
  });
}

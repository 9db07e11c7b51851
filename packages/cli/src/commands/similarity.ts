import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Checkpoint, UsageError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import { type ComparedNetwork, measureSimilarity, type SimilarityProgress } from "@isthmus/similarity";
import { formatOutputs } from "../format/format-outputs.ts";
import { formatSimilarity } from "../format/format-similarity.ts";
import { withCheckpoints } from "../open/open-checkpoints.ts";
import { addScalingOptions, type ScalingOptions } from "../open/open-data.ts";
import {
  addExportedFromOptions,
  type ExportedFromOptions,
  openOwnArchitectures,
} from "../open/open-own-architectures.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { addSimilarityOptions, type SimilarityOptions } from "../options/similarity-options.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface SimilarityVerbOptions
  extends EngineOptions,
    ScalingOptions,
    SimilarityOptions,
    ExportedFromOptions {
  readonly graph?: string | undefined;
  readonly exportedFrom?: string | undefined;
  readonly graphA?: string | undefined;
  readonly graphB?: string | undefined;
  readonly data: string;
  readonly journal?: string | undefined;
  readonly output?: string | undefined;
  readonly report?: string | undefined;
}

/** Creates the command `isthmus similarity`. */
export function similarityVerb(run: RunVerb): CommandUnknownOpts {
  const measured = addSimilarityOptions(addScalingOptions(addEngineOption(createSimilarityVerb())));
  return addExportedFromOptions(measured)
    .addHelpText("after", EXAMPLES)
    .action((a, b, options) => run(options, (context) => similarity([a, b], options, context)));
}

function createSimilarityVerb() {
  return createVerb("similarity")
    .argument("<a>", "the first checkpoint: a file, or a folder")
    .argument("<b>", "the second one; or the first again, to compare its own layers")
    .option(
      "--graph <file>",
      "the architecture of both, .onnx or model.json of a LayersModel (default: from config.json)",
    )
    .option("--graph-a <file>", "the architecture of A, if it is another one")
    .option("--graph-b <file>", "the architecture of B, if it is another one")
    .option(
      "--exported-from <checkpoint>",
      "the checkpoint that --graph was exported from, if it is none of the networks; it shows which weight is which",
    )
    .requiredOption("--data <name>", `examples; ${dataForms()}`)
    .option("--journal <file>", "keep finished layers in this file, and go on from it after an interruption")
    .option("-o, --output <file>", "write the result (.json)")
    .option("--report <file>", "write a page with figures and all numbers (.html)");
}

const EXAMPLES = formatExamples(
  [
    "isthmus similarity a.pt b.pt --graph model.onnx --data mnist:test --report similarity.html",
    "every layer of one network with every layer of the other, by five measures",
  ],
  [
    "isthmus similarity a.pt a.pt --graph model.onnx --data mnist:test --measures linear-cka --examples 0 --samples 0",
    "layers of one network with each other, on all examples; memory does not grow with them",
  ],
  [
    "isthmus similarity narrow.pt wide.pt --graph-a narrow.onnx --graph-b wide.onnx --data mnist:test -o similarity.json",
    "two networks of different architectures",
  ],
  [
    "isthmus similarity a.pt b.pt --graph model.onnx --data mnist:test --values 'layers.*' --positions average",
    "only values of some names, with the positions of images averaged over",
  ],
);

async function similarity(
  paths: readonly [string, string],
  options: SimilarityVerbOptions,
  context: Context,
): Promise<Outcome> {
  const { journal, output, report, graph, graphA, graphB } = options;
  const { exportedFrom, exportedFromA, exportedFromB } = options;
  if (report !== undefined) assertPageName(report);
  return withCheckpoints(paths, async (checkpoints) => {
    const files = [graph, graphA, graphB, exportedFrom, exportedFromA, exportedFromB];
    const named = files.filter((file) => file !== undefined);
    const inputs = [...checkpoints.flatMap(({ files }) => files), ...named];
    const outputs = [output, report].filter((file) => file !== undefined);
    for (const file of [journal, ...outputs]) if (file !== undefined) await assertOutput(file, inputs);
    const { networks, data } = await openNetworks(paths, checkpoints, { options, context });
    const { values, measures, positions, examples, samples, estimator, block } = options;
    const { bandwidth, variance, anchors, neighbours, seed } = options;
    const result = await measureSimilarity(networks[0], networks[1], data, {
      ...{ values, measures, positions, examples, samples, estimator, block },
      ...{ bandwidth, variance, anchors, neighbours, seed },
      ...{ journalPath: journal, signal: context.signal },
      onProgress: ({ stage, done }) => context.progress(STAGES[stage], done),
    });
    await saveResult(result, { output, report }, { inputs, context });
    return { result, text: formatSimilarity(result) + formatOutputs(outputs) };
  });
}

const STAGES: Readonly<Record<SimilarityProgress["stage"], string>> = {
  activations: "Running the networks",
  comparison: "Comparing layers",
};

/** Opens each network with its own architecture; both see the examples as the first one takes them. */
async function openNetworks(
  paths: readonly [string, string],
  checkpoints: readonly [Checkpoint, Checkpoint],
  { options, context }: { readonly options: SimilarityVerbOptions; readonly context: Context },
): Promise<{ readonly networks: readonly [ComparedNetwork, ComparedNetwork]; readonly data: DataSet }> {
  const { graph, graphA = graph, graphB = graph } = options;
  const { exportedFrom, exportedFromA = exportedFrom, exportedFromB = exportedFrom } = options;
  const [one, two] = checkpoints;
  const [a, b] = await openOwnArchitectures(
    [
      { path: paths[0], checkpoint: one, graph: graphA, exportedFrom: exportedFromA, letter: "a" },
      { path: paths[1], checkpoint: two, graph: graphB, exportedFrom: exportedFromB, letter: "b" },
    ],
    { attempt: "measure similarity", options, context },
  );
  if (a.data === undefined) throw new UsageError("Cannot measure similarity without examples: add --data");
  return { networks: [a, b], data: a.data };
}

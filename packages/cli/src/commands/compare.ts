import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  type Checkpoint,
  expandPaths,
  noteTwice,
  saveFile,
  UsageError,
  withCheckpoints,
} from "@isthmus/core";
import type { BoundArchitecture, DataSet } from "@isthmus/graph";
import { measureGradientSigns } from "@isthmus/merge-learning";
import {
  adviseMerge,
  COMPARE_NETWORKS_DEFAULTS,
  type ComparisonResult,
  compareNetworks,
  formatAdvisedRecipe,
  type GradientSigns,
  judgeMerge,
  type NetworkComparison,
  readModelFacts,
  traceDescent,
} from "@isthmus/recipe";
import { assertArchitecture, type OpenedArchitecture, openBound } from "@isthmus/zoo";
import { formatComparison } from "../format/format-comparison.ts";
import { formatOutputs } from "../format/format-outputs.ts";
import { addScalingOptions, type ScalingOptions } from "../open/open-data.ts";
import { readingOf } from "../open/reading-of.ts";
import { addBindingOptions, type BindingOptions } from "../options/binding-options.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { collect, parseCount, parseSeed } from "../options/parse-values.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface CompareOptions extends EngineOptions, BindingOptions, ScalingOptions {
  readonly base?: string | undefined;
  readonly graph?: string | undefined;
  readonly align?: true | undefined;
  readonly method?: string | undefined;
  readonly data?: readonly string[] | undefined;
  readonly sample: number;
  readonly seed: number;
  readonly recipe?: string | undefined;
  readonly output?: string | undefined;
  readonly report?: string | undefined;
}

/** Creates the command `isthmus compare`. */
export function compareVerb(run: RunVerb): CommandUnknownOpts {
  return addScalingOptions(addBindingOptions(addEngineOption(createCompareVerb())))
    .addHelpText("after", EXIT_CODES)
    .addHelpText("after", EXAMPLES)
    .action((paths, options) => run(options, (context) => compareFiles(paths, options, context)));
}

function createCompareVerb() {
  return createVerb("compare", HELP_GROUPS.done)
    .argument("<checkpoints...>", "two or more checkpoints; * and ? are wildcards for files")
    .option("--base <checkpoint>", "the checkpoint that they were made from")
    .option(
      "--graph <file>",
      "their architecture, .onnx or model.json of a LayersModel: measures what alignment changes, too",
    )
    .option("--align", "measure what alignment changes; needs --graph, or a config.json with each")
    .option("--method <name>", "judge them for a merge by this method, such as linear or ties")
    .option(
      "--data <name>",
      `advise by gradients on these examples, too; once, or once for each network in their order, with its own task: ${dataForms()}`,
      collect,
    )
    .option("--recipe <file>", "write the advised merge as a recipe (.yaml) for isthmus merge")
    .option(
      "--sample <n>",
      "most numbers that are read of each checkpoint; small ones are read whole",
      parseCount(1),
      COMPARE_NETWORKS_DEFAULTS.sample,
    )
    .option("--seed <n>", "seed of the sample", parseSeed, COMPARE_NETWORKS_DEFAULTS.seed)
    .option("-o, --output <file>", "write the result (.json), for isthmus report")
    .option("--report <file>", "write a page with figures and all numbers (.html)");
}

const EXIT_CODES = `
Exit code: 0 if the networks can be merged, whatever warnings there are; 1 if a finding is an error, or the
architectures differ, so that a merge would be meaningless; 2 if something cannot be read or is wrong.
`;

const EXAMPLES = formatExamples(
  ["isthmus compare a.safetensors b.safetensors", "can they be merged without alignment?"],
  [
    "isthmus compare llama-math llama-code --base llama",
    "what each learned since the base, and at what angle",
  ],
  ["isthmus compare a.pt b.pt --graph model.onnx", "how much nearer alignment brings them"],
  [
    "isthmus compare math code chat --base base -o compare.json --report compare.html",
    "a page with distances, angles and what differs",
  ],
  [
    "isthmus compare math code --base base --recipe advice.yaml",
    "write the advised merge as a recipe, which isthmus merge advice.yaml runs",
  ],
  [
    "isthmus compare a.pt b.pt --base base.pt --graph model.onnx --data a:train --data b:train",
    "advice by gradients on the examples of each",
  ],
  ["isthmus compare 'run/*.safetensors' --method ties --json", "for a script: one object with all numbers"],
);

async function compareFiles(
  patterns: readonly string[],
  options: CompareOptions,
  context: Context,
): Promise<Outcome> {
  const paths = await expandPaths(patterns);
  noteTwice(paths, context.terminal.note);
  const all = options.base === undefined ? paths : [...paths, options.base];
  if (options.align || options.data !== undefined)
    await assertArchitecture(`compare with --${options.align ? "align" : "data"}`, all, options);
  const outputs = await checkOutputs(options, all);
  const facts = await Promise.all(all.map(readModelFacts));
  return withCheckpoints(all, async (checkpoints) => {
    const opened = await openCompared(checkpoints, all, options, context);
    const comparison = await compareNetworks(checkpoints.slice(0, paths.length), {
      base: checkpoints[paths.length],
      sample: options.sample,
      seed: options.seed,
      architecture: options.align || options.graph !== undefined ? opened?.architecture : undefined,
      facts,
      signal: context.signal,
      onProgress: ({ done, phase }) =>
        context.progress(
          phase === "aligning" ? "Aligning" : "Comparing",
          phase === "aligning" ? undefined : done,
        ),
    });
    const judged = judgeMerge(comparison, { method: options.method });
    const gradients = await measureGradients(comparison, opened, context);
    const { graph, data, recipe } = options;
    const advice = adviseMerge(comparison, { judged, gradients, graph, data, recipe });
    const result: ComparisonResult = {
      ...comparison,
      ...judged,
      pairs: comparison.pairs,
      verdicts: judged.pairs,
      descent: traceDescent(comparison),
      advice,
    };
    const text = recipe === undefined ? null : formatAdvisedRecipe(comparison, advice, { graph });
    if (recipe !== undefined && text !== null) await saveFile(recipe, text, all);
    const isMissing = recipe !== undefined && text === null;
    await saveResult(result, options, { inputs: all, context });
    return {
      result,
      text:
        formatComparison(result, context.terminal.columns) +
        formatOutputs(isMissing ? outputs.filter((path) => path !== recipe) : outputs),
      failure:
        failureOf(result) ??
        (isMissing
          ? `no recipe was written to ${recipe}: no merge is advised, see the advice above`
          : undefined),
    };
  });
}

/**
 * Checks the names of the files to write, before long work, and returns them.
 * @throws UsageError if a name does not end as it must
 * @throws InputError if a file cannot be written, or would replace an input
 */
async function checkOutputs(
  { output, report, recipe }: CompareOptions,
  inputs: readonly string[],
): Promise<string[]> {
  if (report !== undefined) assertPageName(report);
  if (output !== undefined && !output.endsWith(".json")) {
    throw new UsageError(`Cannot compare networks as -o must name a file ending in .json: it is "${output}"`);
  }
  if (recipe !== undefined && !/\.ya?ml$/.test(recipe)) {
    throw new UsageError(
      `Cannot write the advised recipe as --recipe must name a file ending in .yaml: it is "${recipe}"`,
    );
  }
  const outputs = [output, report, recipe].filter((path) => path !== undefined);
  for (const path of outputs) await assertOutput(path, inputs);
  return outputs;
}

/** Returns the reasons why a merge would be meaningless; undefined if there are only warnings. */
function failureOf({ verdict, findings }: ComparisonResult): string | undefined {
  const errors = findings.filter(({ severity }) => severity === "error").length;
  if (errors > 0) {
    return `the networks cannot be merged as trained: ${errors === 1 ? "1 error" : `${errors} errors`} above`;
  }
  return verdict === "different architecture"
    ? "the networks cannot be merged: their architectures differ"
    : undefined;
}

/** Networks bound to their architecture, and the examples of each. */
interface OpenedCompared {
  readonly architecture: OpenedArchitecture & BoundArchitecture;
  readonly data: readonly DataSet[];
}

/** Binds the checkpoints to their architecture, and opens the examples, if the options ask for either. */
async function openCompared(
  checkpoints: readonly Checkpoint[],
  paths: readonly string[],
  options: CompareOptions,
  context: Context,
): Promise<OpenedCompared | undefined> {
  const { align, graph, data = [] } = options;
  if (!align && graph === undefined && data.length === 0) return undefined;
  const names = Object.fromEntries(data.map((name, i) => [i, name]));
  const reading = await readingOf({ ...options, data: undefined }, context);
  const { architecture, examples } = await openBound(paths, checkpoints, names, reading);
  return { architecture, data: [...examples.values()] };
}

/** Measures gradients on the examples, at the mean of the networks; null without examples. */
async function measureGradients(
  { taskVectors, networks }: NetworkComparison,
  opened: OpenedCompared | undefined,
  { signal, progress }: Context,
): Promise<GradientSigns | null> {
  if (opened === undefined || opened.data.length === 0) return null;
  const bound = opened.architecture.networks.map(({ network }) => network);
  const position = taskVectors?.base;
  const base = position === undefined ? undefined : bound[position];
  const merged = bound.filter((_, i) => i < networks.length && i !== position);
  return measureGradientSigns(opened.architecture, merged, opened.data, {
    base,
    signal,
    onProgress: (done) => progress("Measuring gradients", done),
  });
}

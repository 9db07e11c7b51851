import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  type Checkpoint,
  expandPaths,
  isIsthmusError,
  noteTwice,
  UsageError,
  withCheckpoints,
} from "@isthmus/core";
import { withNamesOf } from "@isthmus/graph";
import type { ComparisonResult } from "@isthmus/recipe";
import {
  COMPARE_NETWORKS_DEFAULTS,
  type ComparedArchitecture,
  compareNetworks,
  judgeMerge,
  readModelFacts,
} from "@isthmus/recipe";
import { assertArchitecture, openBound } from "@isthmus/zoo";
import { formatComparison } from "../format/format-comparison.ts";
import { formatOutputs } from "../format/format-outputs.ts";
import { readingOf } from "../open/reading-of.ts";
import { addBindingOptions, type BindingOptions } from "../options/binding-options.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { parseCount, parseSeed } from "../options/parse-values.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface CompareOptions extends EngineOptions, BindingOptions {
  readonly base?: string | undefined;
  readonly graph?: string | undefined;
  readonly align?: true | undefined;
  readonly method?: string | undefined;
  readonly sample: number;
  readonly seed: number;
  readonly output?: string | undefined;
  readonly report?: string | undefined;
}

/** Creates the command `isthmus compare`. */
export function compareVerb(run: RunVerb): CommandUnknownOpts {
  return addBindingOptions(addEngineOption(createCompareVerb()))
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
  ["isthmus compare a.safetensors b.safetensors", "can they be merged as they are?"],
  [
    "isthmus compare llama-math llama-code --base llama",
    "what each learned since the base, and at what angle",
  ],
  ["isthmus compare a.pt b.pt --graph model.onnx", "how much nearer alignment brings them"],
  [
    "isthmus compare math code chat --base base -o compare.json --report compare.html",
    "a page with distances, angles and what differs",
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
  if (options.align) await assertArchitecture("compare with --align", all, options);
  const outputs = await checkOutputs(options, all);
  const facts = await Promise.all(all.map(readModelFacts));
  return withCheckpoints(all, async (checkpoints) => {
    const architecture = await openCompared(checkpoints, all, options, context);
    const networks = withCommonNames(checkpoints);
    const comparison = await compareNetworks(networks.slice(0, paths.length), {
      base: networks[paths.length],
      sample: options.sample,
      seed: options.seed,
      architecture,
      facts,
      signal: context.signal,
      onProgress: ({ done, phase }) =>
        context.progress(
          phase === "aligning" ? "Aligning" : "Comparing",
          phase === "aligning" ? undefined : done,
        ),
    });
    const judged = judgeMerge(comparison, { method: options.method });
    const result: ComparisonResult = {
      ...comparison,
      ...judged,
      pairs: comparison.pairs,
      verdicts: judged.pairs,
    };
    await saveResult(result, options, { inputs: all, context });
    return {
      result,
      text: formatComparison(result, context.terminal.columns) + formatOutputs(outputs),
      failure: failureOf(result),
    };
  });
}

/**
 * Checks the names of the files to write, before long work, and returns them.
 * @throws UsageError if a name does not end as it must
 * @throws InputError if a file cannot be written, or would replace an input
 */
async function checkOutputs(
  { output, report }: CompareOptions,
  inputs: readonly string[],
): Promise<string[]> {
  if (report !== undefined) assertPageName(report);
  if (output !== undefined && !output.endsWith(".json")) {
    throw new UsageError(`Cannot compare networks as -o must name a file ending in .json: it is "${output}"`);
  }
  const outputs = [output, report].filter((path) => path !== undefined);
  for (const path of outputs) await assertOutput(path, inputs);
  return outputs;
}

/** Returns the reasons why a merge would be meaningless; undefined if there are only warnings. */
function failureOf({ verdict, findings }: ComparisonResult): string | undefined {
  const errors = findings.filter(({ severity }) => severity === "error").length;
  if (errors > 0) {
    return `the networks cannot be merged as they are: ${errors === 1 ? "1 error" : `${errors} errors`} above`;
  }
  return verdict === "different architecture"
    ? "the networks cannot be merged: their architectures differ"
    : undefined;
}

/** Binds the checkpoints to their architecture, if the options ask for one. */
async function openCompared(
  checkpoints: readonly Checkpoint[],
  paths: readonly string[],
  options: CompareOptions,
  context: Context,
): Promise<ComparedArchitecture | undefined> {
  if (!options.align && options.graph === undefined) return undefined;
  const { architecture } = await openBound(paths, checkpoints, {}, await readingOf(options, context));
  return architecture;
}

/**
 * Gives checkpoints that share no name of a tensor the names of the first, if they differ by a prefix only.
 */
function withCommonNames([first, ...others]: readonly Checkpoint[]): readonly Checkpoint[] {
  if (first === undefined) return [];
  const rename = (other: Checkpoint): Checkpoint => {
    if ([...other.tensors.keys()].some((name) => first.tensors.has(name))) return other;
    try {
      return withNamesOf(first, other);
    } catch (error) {
      // Of another architecture: what differs is part of the comparison.
      if (isIsthmusError(error)) return other;
      throw error;
    }
  };
  return [first, ...others.map(rename)];
}

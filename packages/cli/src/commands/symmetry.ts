import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { saveFile, withCheckpoints } from "@isthmus/core";
import { type BindingSummary, bindArchitecture } from "@isthmus/graph";
import {
  type ContinuousSymmetries,
  discoverContinuous,
  discoverSymmetries,
  type Exchange,
  encodeSpec,
  explainLinearSymmetries,
  explainMixing,
  explainSpec,
  type LinearSummary,
  leaveOutMixtures,
  type MixingExplanation,
  type ProveSymmetriesOptions,
  proveSymmetries,
  readSpec,
  type SpecExplanation,
  type Symmetries,
  type SymmetryProof,
  type SymmetrySpec,
} from "@isthmus/symmetry";
import { type OpenedArchitecture, openArchitecture } from "@isthmus/zoo";
import { formatJson } from "../format/format-json.ts";
import {
  explainVerification,
  formatBinding,
  formatExchanges,
  formatExplanation,
  formatLinear,
  formatMixing,
  formatVerification,
} from "../format/format-symmetries.ts";
import { readingOf } from "../open/reading-of.ts";
import { addBindingOptions, type BindingOptions } from "../options/binding-options.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { addOutputsOption, nameOutputs, type OutputsOptions } from "../options/outputs-option.ts";
import { parseSeed } from "../options/parse-values.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface SymmetryOptions extends EngineOptions, BindingOptions, OutputsOptions {
  readonly verify?: true | undefined;
  readonly checkpoint?: string | undefined;
  readonly spec?: string | undefined;
  readonly seed: number;
  readonly output?: string | undefined;
}

/** Creates the command `isthmus symmetry`. */
export function symmetryVerb(run: RunVerb): CommandUnknownOpts {
  return addOutputsOption(addBindingOptions(addEngineOption(createSymmetryVerb())))
    .addHelpText("after", EXAMPLES)
    .action((graph, options) => run(options, (context) => symmetry(graph, options, context)));
}

function createSymmetryVerb() {
  return createVerb("symmetry", HELP_GROUPS.done)
    .argument(
      "<graph>",
      "an .onnx file, the model.json of a LayersModel, or a model's folder with config.json and safetensors",
    )
    .option(
      "--verify",
      "permute weights by every symmetry at once and compare every value inside the network",
    )
    .option(
      "--checkpoint <file>",
      "use the names of weights in this network, found by value if an exporter renamed them, and verify with it",
    )
    .option("--spec <file>", "symmetries written by hand or saved, instead of those of the graph")
    .option("--seed <n>", "seed of permutations, inputs and weights of the verification", parseSeed, 0)
    .option("-o, --output <file>", "write the symmetries as JSON");
}

const EXAMPLES = formatExamples(
  ["isthmus symmetry model.onnx", "what can be permuted, and what cannot and why"],
  ["isthmus symmetry llama", "a model folder, whose config.json describes the architecture"],
  ["isthmus symmetry model.onnx --verify --checkpoint a.safetensors", "prove it on real weights"],
  ["isthmus symmetry model.onnx --verify --spec own.json", "find out what is wrong with a list of your own"],
);

async function symmetry(path: string, options: SymmetryOptions, context: Context): Promise<Outcome> {
  const reading = await readingOf(options, context);
  const opened = await openArchitecture(path, reading.engine, reading);
  const paths = options.checkpoint === undefined ? [] : [options.checkpoint];
  return withCheckpoints(paths, async (checkpoints) => {
    const bound = checkpoints.length === 0 ? undefined : await bindArchitecture(opened, checkpoints, reading);
    const architecture = bound ?? opened;
    const [network] = bound?.networks ?? [];
    const written = options.spec === undefined ? undefined : await readSpec(options.spec, architecture.graph);
    const symmetries = written ?? (await discover(architecture, context));
    const { linear, mixing, exchanges } = await discoverBeyond(architecture, symmetries, context);
    const proof = { seed: options.seed, linear, mixing, exchanges, weights: network?.network };
    const verified =
      options.verify || network ? await prove(architecture, symmetries, proof, context) : undefined;
    const spec = "spec" in symmetries ? symmetries.spec : symmetries;
    await saveSpec(spec, [path, ...paths], options);
    const binding = bound?.binding;
    const dropped = verified?.dropped ?? [];
    const beyond = {
      linear: linear && explainLinearSymmetries(spec, linear),
      mixed:
        mixing &&
        explainMixing(
          spec,
          leaveOutMixtures(
            mixing,
            dropped.map(({ name }) => name),
          ),
        ),
      exchanges,
    };
    const counted = nameOutputs(options, " for ");
    return describe({ explanation: explainSpec(spec), ...beyond, binding, verified, counted }, context);
  });
}

/** Writes the symmetries, if the options ask for it. */
async function saveSpec(
  spec: SymmetrySpec,
  paths: readonly string[],
  { output, spec: written, exportedFrom }: SymmetryOptions,
): Promise<void> {
  if (output === undefined) return;
  const named = [written, exportedFrom].filter((file) => file !== undefined);
  await saveFile(output, formatJson(encodeSpec(spec)), [...paths, ...named]);
}

async function prove(
  architecture: OpenedArchitecture,
  symmetries: Symmetries | SymmetrySpec,
  options: ProveSymmetriesOptions,
  { progress, signal }: Context,
): Promise<SymmetryProof> {
  progress("Verifying");
  return proveSymmetries(architecture, symmetries, { ...options, signal });
}

async function discover(
  { graph, engine }: OpenedArchitecture,
  { progress, signal }: Context,
): Promise<Symmetries> {
  progress("Discovering symmetries");
  return discoverSymmetries({ graph, engine }, { signal });
}

/** Discovers symmetries beyond permutation; an empty object for symmetries from a file. */
async function discoverBeyond(
  { graph, engine }: OpenedArchitecture,
  symmetries: Symmetries | SymmetrySpec,
  { signal }: Context,
): Promise<Partial<ContinuousSymmetries>> {
  return "spec" in symmetries ? discoverContinuous({ graph, engine }, symmetries, { signal }) : {};
}

/** Lists the weights of the parts that may change places, with the indices of each part. */
function summarizeExchange({ name, parts, selectors }: Exchange) {
  const selected = selectors.map(({ weight, axis, indices }) => ({
    tensor: weight,
    axis,
    indices: [...indices],
  }));
  return { name, parts, selectors: selected };
}

interface Findings {
  readonly explanation: SpecExplanation;
  readonly linear: readonly LinearSummary[] | undefined;
  readonly mixed: MixingExplanation | undefined;
  readonly exchanges: readonly Exchange[] | undefined;
  readonly binding: BindingSummary | undefined;
  readonly verified: SymmetryProof | undefined;
  /** Outputs that the proof covers, such as ` for logits`; empty for all. */
  readonly counted: string;
}

function describe(
  { explanation, linear, mixed, exchanges, binding, verified, counted }: Findings,
  { terminal }: Context,
): Outcome {
  const parts = [formatExplanation(explanation, terminal.columns)];
  if (linear !== undefined) parts.push(formatLinear(linear, terminal.columns));
  if (mixed !== undefined) parts.push(...formatMixing(mixed, terminal.columns));
  if (exchanges !== undefined && exchanges.length > 0)
    parts.push(formatExchanges(exchanges, terminal.columns));
  if (binding !== undefined) parts.push(formatBinding(binding));
  if (verified !== undefined) parts.push(formatVerification(verified, counted));
  return {
    result: {
      ...explanation,
      linear: linear ?? null,
      mixing: mixed ?? null,
      exchanges: exchanges?.map(summarizeExchange) ?? null,
      binding: binding ?? null,
      verified: verified ?? null,
    },
    text: parts.join("\n\n"),
    failure: verified && explainVerification(verified),
  };
}

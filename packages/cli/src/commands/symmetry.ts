import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { saveFile } from "@isthmus/core";
import {
  bindSpec,
  discoverLinearSymmetries,
  encodeSpec,
  explainLinearSymmetries,
  explainSpec,
  type LinearSummary,
  type LinearSymmetries,
  type SpecExplanation,
} from "@isthmus/graph";
import { createAligner } from "../aligner.ts";
import { type BoundNetwork, bindNetwork, summarizeBinding } from "../bind-network.ts";
import { type EngineOptions, engineOption } from "../engine-option.ts";
import { formatJson } from "../format-json.ts";
import {
  explainVerification,
  formatBinding,
  formatExplanation,
  formatLinear,
  formatVerification,
} from "../format-symmetries.ts";
import { type Architecture, openArchitecture } from "../open-architecture.ts";
import { withCheckpoints } from "../open-checkpoints.ts";
import { parseSeed } from "../parse-values.ts";
import { type Provable, proveSymmetries, type SymmetryProof, specOf } from "../prove-symmetries.ts";
import { readSpec } from "../read-spec.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface SymmetryOptions extends EngineOptions {
  readonly verify?: true | undefined;
  readonly checkpoint?: string | undefined;
  readonly spec?: string | undefined;
  readonly seed: number;
  readonly output?: string | undefined;
}

/** The verb `symmetry`. */
export function symmetryVerb(run: RunVerb): CommandUnknownOpts {
  return createVerb("symmetry")
    .argument(
      "<graph>",
      "an .onnx file, the model.json of a LayersModel, or a model's folder with config.json and safetensors",
    )
    .option("--verify", "permute weights by every symmetry at once and compare every value inside")
    .option(
      "--checkpoint <file>",
      "say it in the names of this network, found by value where an exporter renamed weights, and verify with it",
    )
    .option("--spec <file>", "symmetries written by hand or saved, instead of those of the graph")
    .option("--seed <n>", "seed of permutations, inputs and weights of the verification", parseSeed, 0)
    .option("-o, --output <file>", "write the symmetries as JSON")
    .addOption(engineOption())
    .addHelpText(
      "after",
      formatExamples(
        ["isthmus symmetry model.onnx", "what can be permuted, and what cannot and why"],
        ["isthmus symmetry llama", "of a model's folder"],
        ["isthmus symmetry model.onnx --verify --checkpoint a.safetensors", "prove it on real weights"],
        [
          "isthmus symmetry model.onnx --verify --spec own.json",
          "find out what is wrong with a list of your own",
        ],
      ),
    )
    .action((graph, options) => run(options, (context) => symmetry(graph, options, context)));
}

async function symmetry(path: string, options: SymmetryOptions, context: Context): Promise<Outcome> {
  const architecture = await openArchitecture(path, options);
  const given = options.spec === undefined ? undefined : await readSpec(options.spec, architecture.graph);
  const symmetries = given ?? (await createAligner(architecture, context)).symmetries;
  const linear = await discoverLinear(architecture, symmetries, context);
  const paths = options.checkpoint === undefined ? [] : [options.checkpoint];
  return withCheckpoints(paths, async ([checkpoint]) => {
    const network =
      checkpoint === undefined ? undefined : await bindNetwork(path, architecture.graph, checkpoint);
    const proven = { ...architecture, symmetries, linear, network };
    const verified = options.verify || network ? await prove(proven, options, context) : undefined;
    const spec = network === undefined ? specOf(symmetries) : bindSpec(specOf(symmetries), network);
    const inputs = [path, ...paths, ...(options.spec === undefined ? [] : [options.spec])];
    if (options.output !== undefined) {
      await saveFile(options.output, formatJson(encodeSpec(spec)), inputs);
    }
    const explained = linear && explainLinearSymmetries(specOf(symmetries), linear);
    return describe({ explanation: explainSpec(spec), linear: explained, network, verified }, context);
  });
}

async function prove(
  proven: Provable,
  { seed }: SymmetryOptions,
  { progress, signal }: Context,
): Promise<SymmetryProof> {
  progress("Verifying");
  return proveSymmetries(proven, { seed, signal });
}

/** What leaves the function as it is beyond permutation; not asked of a list of one's own. */
async function discoverLinear(
  { graph, engine }: Architecture,
  symmetries: Provable["symmetries"],
  { signal }: Context,
): Promise<LinearSymmetries | undefined> {
  return "spec" in symmetries ? discoverLinearSymmetries(graph, engine, symmetries, { signal }) : undefined;
}

interface Findings {
  readonly explanation: SpecExplanation;
  readonly linear: readonly LinearSummary[] | undefined;
  readonly network: BoundNetwork | undefined;
  readonly verified: SymmetryProof | undefined;
}

function describe({ explanation, linear, network, verified }: Findings, { terminal }: Context): Outcome {
  const parts = [formatExplanation(explanation, terminal.columns)];
  if (linear !== undefined) parts.push(formatLinear(linear, terminal.columns));
  if (network !== undefined) parts.push(formatBinding(network.binding));
  if (verified !== undefined) parts.push(formatVerification(verified));
  const binding = network === undefined ? null : summarizeBinding(network.binding);
  return {
    result: { ...explanation, linear: linear ?? null, binding, verified: verified ?? null },
    text: parts.join("\n\n"),
    failure: verified && explainVerification(verified),
  };
}

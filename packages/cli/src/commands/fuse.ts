import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { type Checkpoint, describeMaking, saveCheckpoint, UsageError, withCheckpoints } from "@isthmus/core";
import {
  ACTIVATION_COSTS,
  type ActivationCost,
  FUSE_METHODS,
  FUSE_NETWORKS_DEFAULTS,
  type FuseByMapsResult,
  type FuseMethod,
  type FuseNetworksResult,
  fuseByMaps,
  fuseNetworks,
  PLAN_KINDS,
  type PlanKind,
} from "@isthmus/fusion";
import { limitExamples } from "@isthmus/graph";
import { copyModelFiles } from "@isthmus/recipe";
import {
  correctStatistics,
  STATISTICS_EXAMPLES,
  STATISTICS_POLICIES,
  type StatisticsPolicy,
} from "@isthmus/statistics";
import { type OpenedNetwork, openOwnArchitectures } from "@isthmus/zoo";
import { formatPairs, formatTable } from "../format/format-table.ts";
import { formatUnitMaps } from "../format/format-transfer.ts";
import { addExportedFromOptions, type ExportedFromOptions } from "../open/exported-from-options.ts";
import { hintAtSwap } from "../open/hint-at-swap.ts";
import { addScalingOptions, type ScalingOptions } from "../open/open-data.ts";
import { readingOf } from "../open/reading-of.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { addOutputsOption, type OutputsOptions } from "../options/outputs-option.ts";
import { parseCount, parseNumber } from "../options/parse-values.ts";
import { assertNetworkOutput } from "../output/assert-output.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface FuseVerbOptions extends EngineOptions, ScalingOptions, ExportedFromOptions, OutputsOptions {
  readonly graph?: string | undefined;
  readonly graphA?: string | undefined;
  readonly graphB?: string | undefined;
  readonly output: string;
  readonly method: FuseMethod;
  readonly data?: string | undefined;
  readonly matchExamples: number;
  readonly cost: ActivationCost;
  readonly plan: PlanKind | typeof ROTATED;
  readonly regularization: number;
  readonly weight: number;
  readonly statistics: StatisticsPolicy;
}

/** The plan by matrices, which keeps what transformers compute. */
const ROTATED = "rotated";

/** Creates the command `isthmus fuse`. */
export function fuseVerb(run: RunVerb): CommandUnknownOpts {
  return addOutputsOption(addExportedFromOptions(addScalingOptions(addEngineOption(createFuseVerb()))))
    .addHelpText("after", EXAMPLES)
    .action((a, b, options) => run(options, (context) => fuse([a, b], options, context)));
}

const EXAMPLES = formatExamples(
  [
    "isthmus fuse narrow.safetensors wide.safetensors --graph-a narrow.onnx --graph-b wide.onnx -o fused.safetensors",
    "bring the narrow network to the width of the wide one, and average the two",
  ],
  [
    "isthmus fuse wide.pt narrow.pt --graph-a wide.onnx --graph-b narrow.onnx --method activation --data mnist:train -o small.safetensors",
    "the other way round, with units compared by what they do on data",
  ],
  [
    "isthmus fuse a.pt b.pt --graph-a a.onnx --graph-b b.onnx --plan soft --statistics repair --data mnist:train -o fused.safetensors",
    "mixtures of units, and the statistics of activations repaired",
  ],
  [
    "isthmus fuse narrow.pt wide.pt --graph-a narrow.onnx --graph-b wide.onnx --weight 1 -o widened.safetensors",
    "only widen the first: it computes the same, in the graph of the second",
  ],
  [
    "isthmus fuse gpt-64 gpt-96 --plan rotated --data text:books.txt --weight 1 -o gpt-64-widened",
    "widen a transformer, as near to the other as its symmetries allow",
  ],
);

function createFuseVerb() {
  const { method, examples, cost, plan, regularization, weight } = FUSE_NETWORKS_DEFAULTS;
  return createVerb("fuse", HELP_GROUPS.done)
    .argument("<a>", "the checkpoint that is brought to the other's width: a file, or a folder")
    .argument("<b>", "the checkpoint that it is averaged with; the result has its graph")
    .addOption(
      new Option("--graph <file>", "the architecture of both, if they have one").conflicts([
        "graphA",
        "graphB",
      ]),
    )
    .option("--graph-a <file>", "the architecture of A, .onnx or model.json (default: from its config.json)")
    .option("--graph-b <file>", "the architecture of B (default: from its config.json)")
    .requiredOption("-o, --output <path>", "the fused network (a file ending in .safetensors, or a folder)")
    .option("--weight <w>", "share of A in the result, from 0 to 1", parseNumber, weight)
    .addOption(
      new Option("--plan <kind>", PLAN_TEXT)
        .choices([...PLAN_KINDS, ROTATED] as const)
        .default(plan)
        .makeOptionMandatory(),
    )
    .option(
      "--regularization <x>",
      "entropy of soft plans, as a share of the range of costs",
      parseNumber,
      regularization,
    )
    .addOption(
      new Option("--method <name>", "compare units by their weights, or by their activations on --data")
        .choices(FUSE_METHODS)
        .default(method)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--cost <name>", "how --method activation compares units")
        .choices(ACTIVATION_COSTS)
        .default(cost)
        .makeOptionMandatory(),
    )
    .option("--data <name>", `examples for --method and --statistics; ${dataForms()}`)
    .option(
      "--match-examples <n>",
      "compare activations on the first n examples only",
      parseCount(1),
      examples,
    )
    .addOption(
      new Option("--statistics <policy>", STATISTICS_TEXT)
        .choices(STATISTICS_POLICIES)
        .default("keep" as const)
        .makeOptionMandatory(),
    );
}

const PLAN_TEXT =
  "hard: every unit of the wider network goes with the one most like it; balanced: as many with each; soft: mixtures; rotated: residual streams and heads by matrices found on --data, and A computes the same at the width of B, which is checked";
const STATISTICS_TEXT =
  "correct the statistics of activations on --data: measure those of batch norms anew, or repair all layers";

async function fuse(
  paths: readonly [string, string],
  options: FuseVerbOptions,
  context: Context,
): Promise<Outcome> {
  return withCheckpoints(paths, async ([a, b]) => {
    const { output, graph, exportedFromA, exportedFromB } = options;
    const { graphA = graph, graphB = graph } = options;
    const named = [graphA, graphB, exportedFromA, exportedFromB].filter((path) => path !== undefined);
    assertData(options);
    await assertNetworkOutput(output, { inputs: [...a.files, ...b.files, ...named], models: paths });
    const ends = [
      { path: paths[0], checkpoint: a, graph: graphA, exportedFrom: exportedFromA, letter: "a" },
      { path: paths[1], checkpoint: b, graph: graphB, exportedFrom: exportedFromB, letter: "b" },
    ] as const;
    const request = { attempt: "fuse", ...(await readingOf(options, context)) };
    const [source, target] = await openOwnArchitectures(ends, request).catch((error: unknown) =>
      hintAtSwap(error, ends, "--graph-a"),
    );
    const fusion = await fuseBy([source, target], options, context);
    const fused = await correct(fusion, target, options, context);
    const outputs = await save([a, b], target.bound.restore(fused), options, context);
    outputs.push(...(await copyModelFiles(paths[1], output, { onNote: context.terminal.note })));
    return { result: describe(fusion, options, outputs), text: format(fusion, outputs) };
  });
}

/** Fuses by the plan that the options name. */
function fuseBy(
  [source, target]: readonly [OpenedNetwork, OpenedNetwork],
  { method, cost, plan, regularization, weight, matchExamples }: FuseVerbOptions,
  { signal, progress }: Context,
): Promise<FuseNetworksResult | FuseByMapsResult> {
  const shared = {
    data: target.data,
    examples: matchExamples,
    weight,
    signal,
    onProgress: ({ done }: { readonly done: number }) => progress("Matching", done),
  };
  return plan === ROTATED
    ? fuseByMaps(source, target, { maps: method === "weight" ? "weights" : "activations", ...shared })
    : fuseNetworks(source, target, { method, cost, plan, regularization, ...shared });
}

/**
 * Checks that the options name examples if the method or the statistics need them.
 * @throws UsageError if not
 */
function assertData({ data, method, statistics, plan }: FuseVerbOptions): void {
  if (data !== undefined) return;
  const [option] = [
    plan === ROTATED ? [`--plan ${plan}`] : [],
    method === "weight" ? [] : [`--method ${method}`],
    statistics === "keep" ? [] : [`--statistics ${statistics}`],
  ].flat();
  if (option === undefined) return;
  throw new UsageError(
    `Cannot fuse with ${option} as it needs examples: add --data, for example --data mnist:train`,
  );
}

/** Corrects the statistics of the fused network, if the options ask for it. */
async function correct(
  { fused, transported }: Pick<FuseNetworksResult, "fused" | "transported">,
  { data, network, ...architecture }: OpenedNetwork,
  { statistics, weight }: FuseVerbOptions,
  { signal }: Context,
): Promise<Checkpoint> {
  if (statistics === "keep" || data === undefined) return fused;
  const examples = limitExamples("fuse networks", data, STATISTICS_EXAMPLES);
  const options = { networks: [transported, network], weights: [weight, 1 - weight], signal };
  return correctStatistics(architecture, fused, examples, { statistics, ...options });
}

async function save(
  networks: readonly [Checkpoint, Checkpoint],
  fused: Checkpoint,
  { output, method, plan, weight, regularization, statistics, cost }: FuseVerbOptions,
  { maker, signal, progress }: Context,
): Promise<string[]> {
  const making = describeMaking(networks, {
    verb: "fuse",
    ...maker,
    method,
    plan,
    weight,
    statistics,
    ...(plan === "soft" ? { regularization } : {}),
    ...(method === "activation" ? { cost } : {}),
  });
  const { files } = await saveCheckpoint(fused, output, {
    metadata: { ...fused.metadata, ...making },
    overwrite: true,
    signal,
    onProgress: ({ done }) => progress("Writing", done),
  });
  return [...files];
}

/** Returns the result without the plans themselves, which are large. */
function describe(
  fusion: FuseNetworksResult | FuseByMapsResult,
  { method, plan, weight, statistics }: FuseVerbOptions,
  outputs: readonly string[],
): object {
  const rest =
    "units" in fusion
      ? { error: fusion.error, symmetries: fusion.units }
      : {
          sweeps: fusion.sweeps,
          status: fusion.status,
          symmetries: fusion.symmetries.map(({ plan: _, ...summary }) => summary),
        };
  return { method, plan, weight, statistics, distance: fusion.distance, ...rest, outputs };
}

function format(fusion: FuseNetworksResult | FuseByMapsResult, outputs: readonly string[]): string {
  const last = [
    ["distance", `${fusion.distance.toFixed(3)} of A, brought to B's width, from B, relative to B's norm`],
    ["wrote", outputs.join(", ")],
  ] as const;
  if ("units" in fusion) {
    const error = `A computes the same at B's width: outputs differ by ${fusion.error.toExponential(1)} of the largest`;
    return `${formatUnitMaps(fusion.units)}\n\n${formatPairs([["verified", error], ...last])}`;
  }
  const { symmetries, sweeps, status } = fusion;
  const table = formatTable(
    [
      { title: "symmetry" },
      { title: "units of A", align: "right" },
      { title: "of B", align: "right" },
      { title: "partners of each in A", align: "right" },
      { title: "in B", align: "right" },
    ],
    symmetries.map(({ name, units, partners }) => [
      name,
      String(units.source),
      String(units.target),
      partners.source.mean.toFixed(2),
      partners.target.mean.toFixed(2),
    ]),
  );
  const end = status === "converged" ? "converged" : "was given up";
  const search = `${sweeps} ${sweeps === 1 ? "sweep" : "sweeps"}, ${end}`;
  return `${table}\n\n${formatPairs([["search", search], ...last])}`;
}

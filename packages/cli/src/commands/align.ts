import { resolve } from "node:path";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  assertNoInput,
  at,
  type Checkpoint,
  describeMaking,
  expandPaths,
  resolveOutputPlace,
  saveCheckpoint,
  saveFile,
  UsageError,
  withCheckpoints,
} from "@isthmus/core";
import { copyModelFiles } from "@isthmus/recipe";
import { encodeAlignment, wholeSpec } from "@isthmus/symmetry";
import {
  type AlignedNetwork,
  align as alignNetworks,
  type MatchLearnedOptions,
  type MatchResult,
  type MatchSeconds,
} from "@isthmus/weight-matching";
import { assertArchitecture, assertNoModelFolder } from "@isthmus/zoo";
import { alignSeveral, tooFew } from "../align/align-several.ts";
import { keepLearning } from "../align/keep-learning.ts";
import { assertNoPermutations } from "../align/learn-several.ts";
import { openToAlign } from "../align/open-to-align.ts";
import { describeEnd, describeFactors, describeSteps } from "../format/describe-learned.ts";
import { formatJson } from "../format/format-json.ts";
import { formatNormalization } from "../format/format-normalization.ts";
import { formatObjective, formatScaled } from "../format/format-objective.ts";
import { formatProof, type ProofScope, proofScope } from "../format/format-proof.ts";
import { formatPairs } from "../format/format-table.ts";
import { plural } from "../format/plural.ts";
import { addBindingOptions, type BindingOptions } from "../options/binding-options.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { addManyOptions, alignsMany, type ManyVerbOptions } from "../options/many-options.ts";
import { addMatchOptions, type MatchVerbOptions, matchingOf } from "../options/match-options.ts";
import { assertOutput } from "../output/assert-output.ts";
import { followAlignment } from "../terminal/follow-alignment.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface AlignVerbOptions extends EngineOptions, MatchVerbOptions, ManyVerbOptions, BindingOptions {
  readonly graph?: string | undefined;
  readonly output: string;
  readonly saveAlignment?: string | undefined;
  readonly data?: string | undefined;
}

/** Creates the command `isthmus align`. */
export function alignVerb(run: RunVerb): CommandUnknownOpts {
  return addMatchOptions(addManyOptions(addBindingOptions(addEngineOption(createAlignVerb()))), "--data")
    .addHelpText("after", EXAMPLES)
    .action((patterns, options, command) =>
      run(options, async (context) => {
        const paths = await expandPaths(patterns);
        const [a, b] = paths;
        if (a === undefined || b === undefined) throw tooFew(paths);
        if (alignsMany(paths, options)) return alignSeveral(paths, options, context);
        // Examples are named to be used: a pair is then aligned by what gains most from them.
        const learns = command.getOptionValueSource("method") === "default" && options.data !== undefined;
        return align([a, b], learns ? { ...options, method: "learned" } : options, context);
      }),
    );
}

const EXAMPLES = formatExamples(
  ["isthmus align a.safetensors b.safetensors --graph model.onnx -o b-aligned.safetensors", "permute B"],
  ["isthmus align llama-a llama-b -o llama-b-aligned", "model folders with config.json: no graph is needed"],
  [
    "isthmus align a.pt b.pt --graph model.onnx --restarts 32 -o alignment.json",
    "search longer, and write only the permutations",
  ],
  [
    "isthmus align a.pt b.pt --graph vit.onnx --normalize -o b-aligned.safetensors",
    "undo scales, signs and rotations of units, too; --normalize rotation for rotations alone",
  ],
  [
    "isthmus align a.pt b.pt --graph model.onnx --method activation --data mnist:train -o b-aligned.safetensors",
    "match units by their activations on data",
  ],
  [
    "isthmus align gpt-a gpt-b --method learned --data text:books.txt:train -o gpt-b-aligned",
    "join transformers: rotate B's residual stream and heads, learned from text or images without labels",
  ],
  [
    "isthmus align gpt-a gpt-b --method learned --data text:books.txt:train --match-steps 1500 --match-batch 64 -o gpt-b-aligned",
    "learn longer, from more texts in each step; start it again after an interruption and it goes on where it was",
  ],
  [
    "isthmus align s0.pt s1.pt s2.pt s3.pt --graph model.onnx -o aligned/",
    "align four networks to each other; aligned/ gets all of them, in the coordinates of the first",
  ],
  [
    "isthmus align vit-a vit-b vit-c vit-d --method learned --data images:photos -o aligned/",
    "bring four transformers into one space, in which their mean is a network: all learn at once",
  ],
  [
    "isthmus align 'runs/*.safetensors' --graph model.onnx --many tree --reference 3 -o universe.json",
    "only the permutations, into the coordinates of the third",
  ],
);

function createAlignVerb() {
  return createVerb("align", HELP_GROUPS.output)
    .argument(
      "<checkpoints...>",
      "two checkpoints, of which the second's units are permuted, or more: files, or folders; with their config.json no graph is needed",
    )
    .option(
      "--graph <file>",
      "their architecture, .onnx or model.json of a LayersModel (default: from their config.json)",
    )
    .requiredOption(
      "-o, --output <path>",
      "the permuted B (a file ending in .safetensors, or a folder), or only the permutations (.json); for more than two networks a folder for all",
    )
    .option("--save-alignment <file>", "write the permutations as JSON, too")
    .option(
      "--data <name>",
      `examples for --method; a pair with examples is aligned by --method learned if no other is named; ${dataForms()}`,
    );
}

async function align(
  paths: readonly [string, string],
  options: AlignVerbOptions,
  context: Context,
): Promise<Outcome> {
  return withCheckpoints(paths, async ([a, b]) => {
    const named = [options.graph, options.exportedFrom].filter((path) => path !== undefined);
    const inputs = [...a.files, ...b.files, ...named];
    assertOutputs(options);
    await assertArchitecture("align", paths, options);
    for (const path of alignmentFiles(options)) await assertOutput(path, inputs);
    // A learned B is in memory and an aligned B reads A no more, so nothing later would refuse this.
    await assertNoInput([options.output], inputs);
    // Said before the work, which may take minutes.
    if (!options.output.endsWith(".json")) await resolveOutputPlace(options.output);
    await assertNoModelFolder(options.output, paths);
    const job = { paths, checkpoints: [a, b] as const, inputs, options };
    if (options.method !== "learned") return alignOpened(job, {}, context);
    return keepLearning({ output: options.output, inputs }, context, (keeping) =>
      alignOpened(job, keeping, context),
    );
  });
}

/** Two networks to be aligned. */
interface AlignJob {
  readonly paths: readonly [string, string];
  readonly checkpoints: readonly [Checkpoint, Checkpoint];
  /** Files that must not be overwritten. */
  readonly inputs: readonly string[];
  readonly options: AlignVerbOptions;
}

async function alignOpened(
  { paths, checkpoints, inputs, options }: AlignJob,
  keeping: Pick<MatchLearnedOptions, "statePath">,
  context: Context,
): Promise<Outcome> {
  const { architecture, examples } = await openToAlign(paths, checkpoints, options, context);
  const { networks, binding } = architecture;
  const { aligned, symmetries } = await alignNetworks(architecture, networks, {
    ...matchingOf(options, examples.get("data")),
    ...keeping,
    ...followAlignment(options.method, context),
  });
  const second = at(aligned, 0, "aligned network");
  const outputs = await saveAligned(checkpoints, second, options, context);
  if (outputs.length > 0)
    outputs.push(...(await copyModelFiles(paths[1], options.output, { onNote: context.terminal.note })));
  for (const path of alignmentFiles(options)) {
    await saveFile(path, formatJson(encodeAlignment(wholeSpec(symmetries), second.alignment)), inputs);
    outputs.push(path);
  }
  const scope = proofScope(options, binding);
  return { result: { ...second.summary, binding, outputs }, text: formatAligned(second, scope, outputs) };
}

/** Lists the files that the permutations are written to. */
function alignmentFiles({ output, saveAlignment }: AlignVerbOptions): string[] {
  return [output.endsWith(".json") ? output : undefined, saveAlignment].filter((path) => path !== undefined);
}

/**
 * Checks that the outputs have different names, as the second would replace the first, and that `--normalize`
 * is not asked for permutations alone, as they do not hold the scales, signs and rotations.
 * @throws UsageError if one of these does not hold
 */
function assertOutputs({ output, saveAlignment, normalize, method }: AlignVerbOptions): void {
  if (method === "learned") assertNoPermutations({ output, saveAlignment });
  if (normalize !== undefined && output.endsWith(".json")) {
    throw new UsageError(
      `Cannot align with --normalize to "${output}" as it holds permutations only: name a .safetensors file or a folder, and --save-alignment for the permutations beside it`,
    );
  }
  if (saveAlignment === undefined || resolve(saveAlignment) !== resolve(output)) return;
  throw new UsageError(`Cannot align as -o and --save-alignment must name two files: both are "${output}"`);
}

/** Saves the permuted network, unless only permutations are asked for; returns the files written. */
async function saveAligned(
  networks: readonly [Checkpoint, Checkpoint],
  { restored: network }: AlignedNetwork,
  { output, method, seed, restarts, search, only, skip, normalize, outputs }: AlignVerbOptions,
  { maker, signal, progress }: Context,
): Promise<string[]> {
  if (output.endsWith(".json")) return [];
  const making = describeMaking(networks, {
    verb: "align",
    ...maker,
    method,
    seed,
    restarts,
    search,
    only,
    skip,
    normalize,
    outputs,
  });
  const { files } = await saveCheckpoint(network, output, {
    metadata: { ...network.metadata, ...making },
    overwrite: true,
    signal,
    onProgress: ({ done }) => progress("Writing", done),
  });
  return [...files];
}

function formatAligned(
  { match, summary }: AlignedNetwork,
  scope: ProofScope,
  outputs: readonly string[],
): string {
  const { objective, normalized, verified } = summary;
  return formatPairs([
    ["method", match.method],
    // The loss half-way that a learned alignment lowers stands below, stage by stage.
    ...(match.method === "learned" ? [] : [["objective", formatObjective(objective)] as [string, string]]),
    ...describeSearch(match),
    ...formatNormalization(normalized),
    [
      "verified",
      formatProof(
        `${verified.narrowed ? "a narrowed network of B's structure" : "B"} computes`,
        verified.maxRelativeError,
        scope,
      ),
    ],
    ["wrote", outputs.join(", ")],
  ]);
}

/** Largest shortfall by rounding, in per mille, of an objective that reaches its bound. */
const ROUNDING = 1e-6;

/** Describes the matching of networks, as names and values of a list. */
function describeSearch(match: MatchResult): [string, string][] {
  if (match.method === "activation") {
    return [["compared", `${match.values.length} values on ${match.examples} examples`]];
  }
  if (match.method === "straight-through") {
    const loss = (objective: number) => (-objective).toFixed(4);
    return [
      ["search", `${match.steps} steps on ${match.examples} examples`],
      ["loss half-way", `${loss(match.start)} by weights alone, ${loss(match.objective.after)} at the end`],
    ];
  }
  if (match.method === "learned") {
    const loss = (objective: number) => (-objective).toFixed(4);
    const { start, objective, moved } = match;
    const stages = `${loss(objective.before)} as trained, ${loss(start.closedForm)} in closed form, ${loss(start.descent)} after descent by weights, ${loss(objective.after)} at the end`;
    return [
      ...describeFactors(match),
      describeSteps(match, moved),
      ["loss half-way", stages],
      ...describeEnd(match),
    ];
  }
  const { restarts, sweeps, status, search, scaledObjective, bound } = match;
  const end = status === "converged" ? "converged" : "was given up";
  const how = search === "frank-wolfe" ? "the best, by Frank-Wolfe," : "the best";
  const { after } = scaledObjective;
  const isScaled = after !== match.objective.after;
  const share = bound > 0 ? Math.floor(1000 * (scaledObjective.after / bound) + ROUNDING) / 10 : 100;
  return [
    [
      "search",
      `${plural(restarts.length, "search", "searches")}, ${how} took ${plural(sweeps, "sweep", "sweeps")} and ${end}`,
    ],
    ...formatScaled(match.objective, scaledObjective),
    [
      "bound",
      `${bound.toFixed(2)}, which no alignment exceeds${isScaled ? " as scaled" : ""}; ${after.toFixed(2)}, ${share} %, is reached`,
    ],
    ["time", formatTime(match.seconds)],
  ];
}

/** Formats the time that matching took, and the shares of its parts. */
function formatTime({ total, products, reading, assignment }: MatchSeconds): string {
  const share = (seconds: number) => `${Math.round((100 * seconds) / total)} %`;
  const read = reading > 0 ? `, ${share(reading)} in reading` : "";
  return `${total.toFixed(1)} s, ${share(products)} in products, ${share(assignment)} in assignments${read}`;
}

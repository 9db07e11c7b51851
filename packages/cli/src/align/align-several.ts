import { basename, extname, join } from "node:path";
import { at, type Checkpoint, describeMaking, saveCheckpoint, saveFile, UsageError } from "@isthmus/core";
import { copyModelFiles } from "@isthmus/recipe";
import { encodeAlignment, type Symmetries } from "@isthmus/symmetry";
import { type AlignManyResult, alignMany } from "@isthmus/weight-matching";
import { assertArchitecture, assertNoModelFolder } from "@isthmus/zoo";
import { formatJson } from "../format/format-json.ts";
import { formatObjective } from "../format/format-objective.ts";
import { formatPairs } from "../format/format-table.ts";
import type { BindingOptions } from "../open/bind-architecture.ts";
import { noteTwice, withCheckpoints } from "../open/open-checkpoints.ts";
import type { EngineOptions } from "../options/engine-option.ts";
import { type ManyVerbOptions, manyMatchingOf } from "../options/many-options.ts";
import type { MatchVerbOptions } from "../options/match-options.ts";
import { assertOutput } from "../output/assert-output.ts";
import { followAlignment } from "../terminal/follow-alignment.ts";
import type { Context, Outcome } from "../verb.ts";
import { openToAlign } from "./open-to-align.ts";

/** Options of `isthmus align` that several networks are aligned by. */
type AlignSeveralOptions = EngineOptions &
  MatchVerbOptions &
  ManyVerbOptions &
  BindingOptions & {
    readonly graph?: string | undefined;
    readonly output: string;
    readonly saveAlignment?: string | undefined;
    readonly data?: string | undefined;
  };

/** Name of the file in the output folder that has the permutations. */
const ALIGNMENTS = "alignments.json";

/** Returns the error of an alignment of too few checkpoints. */
export function tooFew(paths: readonly string[]): UsageError {
  return new UsageError(`Cannot align as at least two checkpoints are needed: got ${paths.length}`);
}

/**
 * Aligns any number of networks to each other through one universe, and writes all of them, or only the
 * permutations.
 */
export async function alignSeveral(
  paths: readonly string[],
  options: AlignSeveralOptions,
  context: Context,
): Promise<Outcome> {
  const { output } = options;
  const permutationsOnly = output.endsWith(".json");
  const places = permutationsOnly ? [] : placesOf(paths, output);
  noteTwice(paths, context.terminal);
  return withCheckpoints(paths, async (checkpoints) => {
    const inputs = checkpoints.flatMap(({ files }) => files);
    const alignmentFiles = [
      permutationsOnly ? output : join(output, ALIGNMENTS),
      ...(options.saveAlignment === undefined ? [] : [options.saveAlignment]),
    ];
    await assertArchitecture("align", paths, options);
    for (const path of alignmentFiles) await assertOutput(path, inputs);
    for (const path of places) await assertNoModelFolder(path, paths);
    const { architecture, data } = await openToAlign(paths, checkpoints, options, context);
    const { networks, binding } = architecture;
    const result = await alignMany(architecture, networks, {
      ...manyMatchingOf(options, data, paths.length),
      ...followAlignment(options.method, context),
    });
    const outputs: string[] = [];
    for (const [i, place] of places.entries()) {
      outputs.push(...(await saveOne(result, i, { place, checkpoints, paths, options }, context)));
    }
    const encoded = formatJson(encodeUniverse(result, paths));
    for (const path of alignmentFiles) {
      await saveFile(path, encoded, inputs);
      outputs.push(path);
    }
    return {
      result: { ...describeSeveral(result, paths), binding, outputs },
      text: format(result, paths, outputs),
    };
  });
}

/**
 * Returns where each network is written in the output folder: under its own name, with a number where two
 * have the same.
 * @throws UsageError if the output is a file
 */
function placesOf(paths: readonly string[], output: string): string[] {
  if (extname(output) === ".safetensors") {
    throw new UsageError(
      `Cannot align ${paths.length} networks to "${output}" as each of them is written: name a folder, or a .json for the permutations alone`,
    );
  }
  const taken = new Set<string>();
  return paths.map((path) => {
    const isFile = /[.](safetensors|pt|pth|bin|npz|onnx|gguf|json|ckpt)$/.test(path);
    const stem = isFile ? basename(path, extname(path)) : basename(path);
    let name = stem;
    for (let k = 2; taken.has(name); k++) name = `${stem}-${k}`;
    taken.add(name);
    return join(output, isFile ? `${name}.safetensors` : name);
  });
}

interface SaveRequest {
  readonly place: string;
  readonly checkpoints: readonly Checkpoint[];
  readonly paths: readonly string[];
  readonly options: AlignSeveralOptions;
}

async function saveOne(
  { networks, match }: AlignManyResult,
  i: number,
  { place, checkpoints, paths, options }: SaveRequest,
  { version, signal, progress }: Context,
): Promise<string[]> {
  const network = at(networks, i, "network");
  const { method, seed, only, skip, normalize } = options;
  const reference = at(checkpoints, match.reference, "reference");
  const making = describeMaking([reference, at(checkpoints, i, "network")], {
    verb: "align",
    version,
    ...{ method, many: match.many, seed, only, skip, normalize, networks: checkpoints.length },
  });
  const { files } = await saveCheckpoint(network, place, {
    metadata: { ...network.metadata, ...making },
    overwrite: true,
    signal,
    onProgress: ({ done }) => progress(`Writing network ${i + 1} of ${networks.length}`, done),
  });
  return [...files, ...(await copyModelFiles(at(paths, i, "path"), place))];
}

/** Describes the permutations as JSON: each brings one network to the coordinates of the reference. */
function encodeUniverse({ aligned, match, symmetries }: AlignManyResult, paths: readonly string[]) {
  const { spec }: Symmetries = symmetries;
  return {
    reference: at(paths, match.reference, "reference"),
    many: match.many,
    networks: aligned.map(({ alignment }, i) => ({
      checkpoint: at(paths, i, "path"),
      alignment: encodeAlignment(spec, alignment),
    })),
  };
}

/** Describes an alignment of several networks as plain data, as `--json` prints it. */
function describeSeveral({ aligned, match }: AlignManyResult, paths: readonly string[]) {
  const { universe: _, reference, ...summary } = match;
  return {
    ...summary,
    reference: at(paths, reference, "reference"),
    networks: aligned.map(({ summary: ofNetwork }, i) => ({
      checkpoint: at(paths, i, "path"),
      ...ofNetwork,
    })),
  };
}

function format(
  { aligned, match }: AlignManyResult,
  paths: readonly string[],
  outputs: readonly string[],
): string {
  const { objective, limit, searches, many, reference } = match;
  const share = limit > 0 ? Math.floor(1000 * (objective.after / limit) + 1e-6) / 10 : 100;
  const worst = Math.max(...aligned.map(({ summary }) => summary.verified.maxRelativeError));
  return formatPairs([
    ["method", `${many}, of ${searches.length} ${searches.length === 1 ? "search" : "searches"}`],
    ["objective", `${formatObjective(objective)}, over all pairs; ${share} % of what copies would have`],
    ...searches.map((search): [string, string] => [`  ${search.many}`, search.objective.toFixed(2)]),
    ["coordinates", `of ${at(paths, reference, "reference")}`],
    ...aligned.flatMap(({ summary }, i): [string, string][] =>
      i === reference
        ? []
        : [[`  ${at(paths, i, "path")}`, `objective ${formatObjective(summary.objective)}`]],
    ),
    ["verified", `each network computes the same, to ${worst.toExponential(1)} (relative)`],
    ["wrote", outputs.join(", ")],
  ]);
}

import { stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import {
  at,
  type Checkpoint,
  describeMaking,
  InputError,
  noteTwice,
  readJsonFile,
  saveCheckpoint,
  saveFile,
  UsageError,
  withCheckpoints,
} from "@isthmus/core";
import { copyModelFiles } from "@isthmus/recipe";
import { type AlignManyResult, alignMany, encodeUniverse, namesInUniverse } from "@isthmus/weight-matching";
import { assertArchitecture, assertNoModelFolder } from "@isthmus/zoo";
import { formatJson } from "../format/format-json.ts";
import { formatNormalization } from "../format/format-normalization.ts";
import { formatObjective, formatScaled } from "../format/format-objective.ts";
import { formatProof, type ProofScope, proofScope } from "../format/format-proof.ts";
import { formatPairs } from "../format/format-table.ts";
import type { BindingOptions } from "../options/binding-options.ts";
import type { EngineOptions } from "../options/engine-option.ts";
import { type ManyVerbOptions, manyMatchingOf } from "../options/many-options.ts";
import type { MatchVerbOptions } from "../options/match-options.ts";
import { assertOutput } from "../output/assert-output.ts";
import { followAlignment } from "../terminal/follow-alignment.ts";
import type { Context, Outcome } from "../verb.ts";
import { openToAlign } from "./open-to-align.ts";

/** Options of `isthmus align` that the alignment of several networks uses. */
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
  noteTwice(paths, context.terminal.note);
  return withCheckpoints(paths, async (checkpoints) => {
    const inputs = checkpoints.flatMap(({ files }) => files);
    const alignmentFiles = [
      permutationsOnly ? output : join(output, ALIGNMENTS),
      ...(options.saveAlignment === undefined ? [] : [options.saveAlignment]),
    ];
    await assertArchitecture("align", paths, options);
    for (const path of alignmentFiles) await assertOutput(path, inputs);
    if (!permutationsOnly) await assertNothingStale(output, places);
    for (const path of places) await assertNoModelFolder(path, paths);
    const { architecture, examples } = await openToAlign(paths, checkpoints, options, context);
    const { networks, binding } = architecture;
    const result = await alignMany(architecture, networks, {
      ...manyMatchingOf(options, examples.get("data"), paths.length),
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
      text: format(result, proofScope(options, binding), { paths, outputs }),
    };
  });
}

/**
 * Returns the path of each network in the output folder: its own file name, with a number if two are the
 * same.
 * @throws UsageError if the output is a file
 */
function placesOf(paths: readonly string[], output: string): string[] {
  if (extname(output) === ".safetensors") {
    const two = "; without --many and --reference only the second is, in the order of the first";
    throw new UsageError(
      `Cannot align ${paths.length} networks to "${output}" as each of them is written: name a folder, or a .json for the permutations alone${paths.length === 2 ? two : ""}`,
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

/**
 * Checks that no network of an earlier alignment would be left beside the ones that are written: the old and
 * the new ones are not aligned to each other, and the new list of permutations does not name the old ones.
 * @throws InputError if one would be left
 */
async function assertNothingStale(output: string, places: readonly string[]): Promise<void> {
  const list = join(output, ALIGNMENTS);
  const earlier = placesOf((await isThere(list)) ? namesInUniverse(await readJsonFile(list)) : [], output);
  const stale: string[] = [];
  for (const place of earlier) {
    if (!places.includes(place) && (await isThere(place))) stale.push(basename(place));
  }
  if (stale.length === 0) return;
  throw new InputError(
    `Cannot align into "${output}" as networks of an earlier alignment would stay beside the new ones: ${stale.join(", ")}, which its ${ALIGNMENTS} lists; remove them, or name another folder`,
    { input: list },
  );
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
  { maker, signal, progress, terminal }: Context,
): Promise<string[]> {
  const network = at(networks, i, "network");
  const { method, seed, only, skip, normalize, restarts, judge } = options;
  const reference = at(checkpoints, match.reference, "reference");
  const making = describeMaking(checkpoints, {
    verb: "align",
    ...maker,
    method,
    many: match.many,
    seed,
    restarts,
    judge,
    only,
    skip,
    normalize,
    network: basename(at(checkpoints, i, "network").source),
    reference: basename(reference.source),
  });
  const { files } = await saveCheckpoint(network, place, {
    metadata: { ...network.metadata, ...making },
    overwrite: true,
    signal,
    onProgress: ({ done }) => progress(`Writing network ${i + 1} of ${networks.length}`, done),
  });
  const copied = await copyModelFiles(at(paths, i, "path"), place, { onNote: terminal.note });
  return [...files, ...copied];
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
  scope: ProofScope,
  { paths, outputs }: { readonly paths: readonly string[]; readonly outputs: readonly string[] },
): string {
  const { objective, scaledObjective, limit, searches, many, reference } = match;
  const share = limit > 0 ? Math.floor(1000 * (scaledObjective.after / limit) + 1e-6) / 10 : 100;
  const scaled = formatScaled(objective, scaledObjective);
  const isScaled = scaled.length > 0 ? " as scaled" : "";
  const worst = Math.max(...aligned.map(({ summary }) => summary.verified.maxRelativeError));
  return formatPairs([
    ["method", `${many}, of ${searches.length} ${searches.length === 1 ? "search" : "searches"}`],
    ["objective", `${formatObjective(objective)}, over all pairs${comparedBy(aligned)}`],
    ...scaled,
    ...searches.map((search): [string, string] => [
      `  ${search.many}`,
      `${search.objective.toFixed(2)}${isScaled}${search.loss === undefined ? "" : `, loss of the mean ${search.loss.toFixed(4)}`}`,
    ]),
    ["bound", `${limit.toFixed(2)}, if all were copies of one; ${share} % is reached${isScaled}`],
    ["coordinates", `of ${at(paths, reference, "reference")}; with it`],
    ...aligned.flatMap(({ summary }, i) =>
      i === reference
        ? []
        : indent([
            [at(paths, i, "path"), `objective ${formatObjective(summary.objective)}`],
            ...formatScaled(summary.objective, summary.scaledObjective),
            ...formatNormalization(summary.normalized),
          ]),
    ),
    ["verified", formatProof("each network computes", worst, scope)],
    ["wrote", outputs.join(", ")],
  ]);
}

/** Names the quantities that the objective compares; an empty text for unchanged weights. */
function comparedBy(aligned: AlignManyResult["aligned"]): string {
  const summaries = aligned.map(({ summary }) => summary);
  if (summaries.some(({ method }) => method === "activation")) return ", of activations";
  const [kinds] = summaries.flatMap(({ normalized }) => (normalized === undefined ? [] : [normalized.kinds]));
  return kinds === undefined ? "" : `, without ${kinds.map((kind) => `${kind}s`).join(", ")}`;
}

const indent = (pairs: readonly (readonly [string, string])[]): [string, string][] =>
  pairs.map(([name, value]) => [`  ${name}`, value]);

const isThere = async (path: string) => (await stat(path).catch(() => undefined)) !== undefined;

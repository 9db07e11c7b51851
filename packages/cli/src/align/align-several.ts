import { join } from "node:path";
import { at, noteTwice, saveFile, UsageError, withCheckpoints } from "@isthmus/core";
import { type AlignManyResult, alignMany, encodeUniverse } from "@isthmus/weight-matching";
import { assertArchitecture, assertNoModelFolder } from "@isthmus/zoo";
import { formatJson } from "../format/format-json.ts";
import { formatNormalization } from "../format/format-normalization.ts";
import { formatObjective, formatScaled } from "../format/format-objective.ts";
import { formatProof, type ProofScope, proofScope } from "../format/format-proof.ts";
import { formatPairs } from "../format/format-table.ts";
import { manyMatchingOf } from "../options/many-options.ts";
import { assertOutput } from "../output/assert-output.ts";
import { followAlignment } from "../terminal/follow-alignment.ts";
import type { Context, Outcome } from "../verb.ts";
import { learnSeveral } from "./learn-several.ts";
import { openToAlign } from "./open-to-align.ts";
import {
  ALIGNMENTS,
  type AlignSeveralOptions,
  assertNothingStale,
  placesOf,
  saveOne,
} from "./save-several.ts";

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
  if (options.method === "learned") return learnSeveral(paths, options, context);
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

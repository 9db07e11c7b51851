import { at, type Checkpoint, isIsthmusError } from "@isthmus/core";
import { formatBarrier, formatCount, formatMeasure } from "@isthmus/findings";
import { createEvaluator, limitExamples } from "@isthmus/graph";
import { countBatchNorms, type StatisticsPolicy } from "@isthmus/statistics";
import { formatTable } from "../format/format-table.ts";
import type { Context } from "../verb.ts";
import type { Shares } from "./describe-merge.ts";
import type { MergeOptions } from "./merge-options.ts";
import type { OpenedNetworks } from "./open-networks.ts";

/** Loss of a network on examples, and the share that it gets wrong. */
export interface NetworkScore {
  /** Path of the network; "merged" for the merged one. */
  readonly network: string;
  /** Mean loss of the examples. */
  readonly loss: number;
  /** Share of examples that are classified wrongly; null if the loss has no notion of errors. */
  readonly error: number | null;
}

/** Losses of merged networks and of the network that was made of them, as plain data. */
export interface MergeScores {
  /** Name of the examples. */
  readonly data: string;
  /** Number of the examples. */
  readonly examples: number;
  /** Scores of the networks that were merged, in their order. */
  readonly networks: readonly NetworkScore[];
  /** Score of the merged network. */
  readonly merged: NetworkScore;
  /** Height of the merged network's loss above the mean of the others by their weights. */
  readonly lossAboveChord: number;
  /** Height of its error above that of the others, in `[-1, 1]`; null if there are no errors. */
  readonly errorAboveChord: number | null;
}

/** Networks to score, under the graph's names, and their part in the result. */
export interface ScoredMerge {
  /** Networks that were merged, in the order of the command line. */
  readonly networks: readonly Checkpoint[];
  /** Path of each of them. */
  readonly paths: readonly string[];
  /** Share of each network in the result; if layers have shares, all count alike in the others' mean. */
  readonly shares: Shares;
  /** Network that was made of them. */
  readonly merged: Checkpoint;
}

/** Number of examples that networks are scored on, the first ones. */
const EXAMPLES = 10_000;

/**
 * Scores the networks of a merge and the merged one on the examples of `--data`.
 * @returns undefined if there are no examples, or none that a loss can be computed on, which a note says
 */
export async function scoreMerge(
  { networks, paths, shares: { weights, layers }, merged }: ScoredMerge,
  { architecture, data }: Pick<OpenedNetworks, "architecture" | "data">,
  { signal, progress, terminal }: Context,
): Promise<MergeScores | undefined> {
  if (architecture === undefined || data === undefined) return undefined;
  const examples = limitExamples("score", data, EXAMPLES);
  const all = [...networks, merged];
  const scores: NetworkScore[] = [];
  try {
    const evaluator = await createEvaluator(architecture, examples);
    for (const [i, network] of all.entries()) {
      progress("Scoring", i / all.length);
      const { loss, error } = await evaluator.evaluate(network, signal);
      scores.push({ network: paths[i] ?? "merged", loss, error: Number.isNaN(error) ? null : error });
    }
    await evaluator.release();
  } catch (error) {
    if (!isIsthmusError(error, "InputError")) throw error;
    terminal.note(`The merged network is not scored: ${error.message}`);
    return undefined;
  }
  const [last] = scores.splice(-1);
  if (last === undefined) return undefined;
  const parts = layers === undefined ? weights : networks.map(() => 1);
  const total = parts.reduce((sum, share) => sum + share, 0);
  const above = (measure: (score: NetworkScore) => number) =>
    measure(last) -
    scores.reduce((sum, score, i) => sum + (at(parts, i, "share") / total) * measure(score), 0);
  return {
    data: examples.name,
    examples: examples.size,
    networks: scores,
    merged: last,
    lossAboveChord: above(({ loss }) => loss),
    errorAboveChord: last.error === null ? null : above(({ error }) => error ?? Number.NaN),
  };
}

/** Formats the scores of a merge as a table, and what usually helps if the merged network is poor. */
export function formatScores(
  { data, examples, networks, merged, ...above }: MergeScores,
  made: HelpContext,
): string {
  const right = { align: "right" } as const;
  const cells = ({ network, loss, error }: NetworkScore) => [
    network,
    formatMeasure(loss, "loss"),
    ...(error === null ? [] : [formatMeasure(error, "error")]),
  ];
  const columns = [
    { title: `on ${data}, ${formatCount(examples)} examples` },
    { title: "loss", ...right },
    ...(merged.error === null ? [] : [{ title: "error", ...right }]),
  ];
  const table = formatTable(columns, [...networks, merged].map(cells));
  const { lossAboveChord, errorAboveChord } = above;
  if (!isPoor({ networks, merged, ...above })) return table;
  const height =
    errorAboveChord === null
      ? formatBarrier(lossAboveChord, "loss")
      : formatBarrier(errorAboveChord, "error");
  const measure = errorAboveChord === null ? "loss" : "error";
  return `${table}\n\nThe merged network is clearly worse than the others: its ${measure} is ${height} above theirs. What usually helps: ${listHelp(made)}. isthmus barrier shows what lies between.`;
}

/** Smallest rise of the error that counts as clearly worse. */
const POOR_ERROR = 0.01;
/** Smallest rise of the loss, as a share of the others' loss, that counts as clearly worse without errors. */
const POOR_LOSS = 0.1;

function isPoor({
  networks,
  lossAboveChord,
  errorAboveChord,
}: Pick<MergeScores, "networks" | "merged" | "lossAboveChord" | "errorAboveChord">): boolean {
  if (errorAboveChord !== null) return errorAboveChord > POOR_ERROR;
  const largest = Math.max(...networks.map(({ loss }) => Math.abs(loss)));
  return lossAboveChord > POOR_LOSS * largest;
}

/** The way in which networks were merged, as far as advice depends on it. */
export interface HelpContext {
  /** Options of the alignment. */
  readonly options: Pick<MergeOptions, "align" | "method">;
  /** Correction of statistics that was made. */
  readonly statistics: StatisticsPolicy;
  /** Architecture of the networks; undefined if nothing needed it. */
  readonly architecture: OpenedNetworks["architecture"];
}

/** Lists what has not been done yet and usually lowers the loss between networks, the cheapest first. */
function listHelp({ options: { align, method }, statistics, architecture }: HelpContext): string {
  const hasNorms = architecture !== undefined && countBatchNorms(architecture.graph) > 0;
  const options = [
    ...(align ? [] : ["--align"]),
    ...(align && method === "weight" ? ["--method activation"] : []),
    ...(statistics === "repair" ? [] : ["--statistics repair"]),
    ...(hasNorms && statistics === "keep" ? ["--statistics recalibrate"] : []),
  ];
  return [...options, "wider networks", "longer training"].join(", ");
}

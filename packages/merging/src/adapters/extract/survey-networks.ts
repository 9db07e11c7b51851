import { at, byteLengthOf, entry } from "@isthmus/core";
import { DEFAULT_RANK, type RankedModule, rankForEnergy, ranksForBytes } from "./choose-ranks.ts";
import { exactSideOf, type ResolvedExtraction } from "./extract-options.ts";
import { assertFileFits, bytesPerRank, type FileTensors, needOfFile } from "./file-need.ts";
import type { FactoredTensor } from "./plan-extraction.ts";
import type { Pair } from "./read-difference.ts";
import type { SurveyJournal } from "./survey-journal.ts";
import { surveyTensor, type TensorSurvey } from "./survey-tensor.ts";
import type { ExtractedTensor } from "./tensor-roles.ts";

/** Result of a comparison of two networks, and the ranks that were chosen by it. */
export interface NetworkSurvey {
  /** Surveys of all tensors, by name. */
  readonly surveys: ReadonlyMap<string, TensorSurvey>;
  /** Tensors that are stored as factors, with their ranks. */
  readonly factored: readonly FactoredTensor[];
  /** Names of tensors that changed and are stored whole. */
  readonly whole: readonly string[];
  /** Names of weights that changed, and for which a budget left no rank. */
  readonly dropped: readonly string[];
}

/** Singular values with which a search for a share of the squared norm begins. */
const FIRST_VALUES = 16;

/**
 * Compares two networks tensor by tensor, and chooses the ranks of all weights that changed. Surveys that the
 * journal has are not made again.
 * @throws OutOfRangeError if a number of bytes is not enough for the tensors that are stored whole
 */
export async function surveyNetworks(
  pair: Pair,
  tensors: readonly ExtractedTensor[],
  journal: SurveyJournal,
  options: ResolvedExtraction,
): Promise<NetworkSurvey> {
  const surveys = new Map<string, TensorSurvey>();
  const first = firstValues(tensors, options);
  const survey = async (tensor: ExtractedTensor, count: number): Promise<TensorSurvey> => {
    options.signal?.throwIfAborted();
    const earlier = journal.finished.get(tensor.name);
    const needed = tensor.role === "whole" || !earlier?.changed ? 0 : Math.min(count, ...tensor.info.shape);
    // Of a budget, the latest survey has the most values.
    if (earlier !== undefined && earlier.values.length >= needed) return earlier;
    const { products, most, energy } = options;
    const made = await surveyTensor(pair, tensor, {
      products,
      most,
      exactUpTo: exactSideOf(options),
      count: () => count,
      energy: energy ?? 0,
    });
    await journal.note(made);
    return made;
  };
  const total = tensors.reduce((sum, { info }) => sum + byteLengthOf(info), 0);
  let done = 0;
  for (const tensor of tensors) {
    surveys.set(tensor.name, await survey(tensor, first));
    done += byteLengthOf(tensor.info);
    options.onProgress?.({ phase: "comparing", done: total === 0 ? 1 : done / total });
  }
  const changed = tensors.filter(({ name }) => entry(surveys, name, "tensor").changed);
  const whole = changed.filter(({ role }) => role === "whole").map(({ name }) => name);
  const weights = changed.filter(({ role }) => role === "factors");
  const ranks =
    options.bytes === undefined
      ? weights.map((tensor) => rankOf(tensor, entry(surveys, tensor.name, "tensor"), options))
      : await spreadBytes(pair, { tensors, weights, whole, surveys, survey }, options);
  const ranked = weights.map((tensor, i) => ({ ...tensor, rank: at(ranks, i, "rank") }));
  return {
    surveys,
    whole,
    factored: ranked.filter(({ rank }) => rank > 0),
    dropped: ranked.filter(({ rank }) => rank === 0).map(({ name }) => name),
  };
}

/** Returns how many singular values of each weight are computed while networks are compared. */
function firstValues(
  tensors: readonly ExtractedTensor[],
  { energy, bytes, most }: ResolvedExtraction,
): number {
  if (energy !== undefined) return Math.min(FIRST_VALUES, most);
  if (bytes === undefined) return 0;
  const weights = tensors.filter(({ role }) => role === "factors");
  const perRank = weights.reduce((sum, tensor) => sum + bytesPerRank(tensor, undefined), 0);
  // Twice the rank that all would get alike: some modules get more than others.
  return Math.min(most, 2 * Math.ceil(bytes / Math.max(1, perRank)) + 8);
}

function rankOf(
  { info }: ExtractedTensor,
  survey: TensorSurvey,
  { rank = DEFAULT_RANK, energy }: ResolvedExtraction,
): number {
  return energy === undefined ? Math.min(rank, ...info.shape) : rankForEnergy(survey, energy);
}

interface Spread extends FileTensors {
  readonly surveys: Map<string, TensorSurvey>;
  readonly survey: (tensor: ExtractedTensor, count: number) => Promise<TensorSurvey>;
}

/**
 * Spreads bytes over the weights. A weight that gets all singular values that are known of it may deserve
 * more: twice as many are computed then, until none does.
 */
async function spreadBytes(
  pair: Pair,
  { tensors, weights, whole, surveys, survey }: Spread,
  options: ResolvedExtraction,
): Promise<readonly number[]> {
  const { bytes = 0, dtype, most } = options;
  const need = needOfFile(pair, { tensors, weights, whole }, dtype);
  assertFileFits(bytes, need);
  const left = bytes - need.ofWhole - need.ofHeader;
  const modules = () =>
    weights.map((tensor): RankedModule => {
      const { name, squared, values } = entry(surveys, tensor.name, "tensor");
      return { name, squared, values, bytesPerRank: bytesPerRank(tensor, dtype) };
    });
  // Weights of which further singular values are lost in rounding.
  const exhausted = new Set<string>();
  for (;;) {
    const ranks = ranksForBytes(modules(), left);
    const short = weights.filter((tensor, i) => {
      const { values } = entry(surveys, tensor.name, "tensor");
      const isMore = values.length < Math.min(most, ...tensor.info.shape) && !exhausted.has(tensor.name);
      return isMore && at(ranks, i, "rank") === values.length;
    });
    if (short.length === 0) return ranks;
    for (const tensor of short) {
      const { values } = entry(surveys, tensor.name, "tensor");
      const limit = Math.min(most, ...tensor.info.shape);
      const more = await survey(tensor, Math.min(limit, 2 * values.length + 1));
      if (more.values.length <= values.length) exhausted.add(tensor.name);
      else surveys.set(tensor.name, more);
    }
  }
}

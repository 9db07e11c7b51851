import {
  at,
  type Checkpoint,
  createTensor,
  OutOfRangeError,
  openCheckpoint,
  type Tensor,
} from "@isthmus/core";
import { average } from "@isthmus/interpolation";
import { hasWorkState, type TrainOptions } from "@isthmus/training";
import { alignTo } from "../align-to.ts";
import type { ResolvedFindStarOptions } from "./find-star-options.ts";
import type { StarSearch } from "./star-search.ts";

/** Start of a search that was tried for a part of the epochs. */
export interface TriedStart {
  /** Source of the start. */
  readonly start: string;
  /** Mean loss of the last epoch's batches of its trial, in the unit of the loss. */
  readonly loss: number;
}

/** Start at which a search goes on, and the trials that decided it. */
interface ChosenStart {
  readonly start: Checkpoint;
  /** Trials of all starts, in their order; empty if there is one start, which needs no trial. */
  readonly tried: readonly TriedStart[];
  /** Losses of the trials, which states of the search hold, so that a search that resumes repeats none. */
  readonly kept: ReadonlyMap<string, Tensor>;
}

/** Name of the tensor of a state with the losses of trials. */
const LOSSES = "losses of starts";

/**
 * Chooses the start of a search: the one whose trial ends with the lowest loss on rays to anchors, and the
 * earlier one of two that are equal.
 *
 * The first start is the given one, if there is one. The others are means of the anchors, aligned to the
 * first anchor, to the second, and so on: alignments are not transitive, so that these means differ.
 *
 * @param tryStart - trains from the start of an index and returns the loss of the last epoch
 * @throws OutOfRangeError if there are fewer starts than `starts`
 */
export async function chooseStart(
  search: StarSearch,
  { search: options, training }: ResolvedFindStarOptions,
  tryStart: (start: Checkpoint, index: number) => Promise<number>,
): Promise<ChosenStart> {
  const { starts, restarts } = options;
  assertStarts(search, starts);
  const candidates = search.start === undefined ? [] : [search.start];
  for (let index = 0; candidates.length < starts; index++) {
    candidates.push(await meanOfAnchors(search, index, { ...training, restarts }));
  }
  if (starts === 1) return { start: at(candidates, 0, "start"), tried: [], kept: new Map() };
  const losses = new Float64Array(starts);
  if (!(await readLossesInto(losses, training))) {
    for (const [index, start] of candidates.entries()) losses[index] = await tryStart(start, index);
  }
  const best = Math.max(0, losses.indexOf(Math.min(...losses)));
  return {
    start: at(candidates, best, "start"),
    tried: candidates.map(({ source }, index) => ({ start: source, loss: at(losses, index, "loss") })),
    kept: new Map([[LOSSES, createTensor("f64", [starts], losses)]]),
  };
}

function assertStarts({ start, symmetries, anchors, graph }: StarSearch, starts: number): void {
  const [means, why] =
    symmetries === undefined
      ? [1, "without alignments all means of anchors are one"]
      : [anchors.length, "there is one for each anchor"];
  const most = means + (start === undefined ? 0 : 1);
  if (starts <= most) return;
  throw new OutOfRangeError(
    `Cannot find a star of graph "${graph.name}" as "starts" must be at most ${most}, as ${why}${start === undefined ? "" : ", and the given one"}: it is ${starts}`,
  );
}

/**
 * Reads the losses of finished trials from the state of a search; returns false if there is no state.
 * Training refuses a state without them, which is of another search, and one that it must not resume from.
 */
async function readLossesInto(
  losses: Float64Array,
  { statePath }: Pick<TrainOptions, "statePath">,
): Promise<boolean> {
  if (statePath === undefined || !(await hasWorkState(statePath))) return false;
  // Training refuses a file that cannot be opened, and says why.
  const state = await openCheckpoint(statePath).catch(() => undefined);
  const { dtype, shape } = state?.tensors.get(LOSSES) ?? {};
  if (dtype === "f64" && shape?.length === 1 && shape[0] === losses.length) {
    await state?.readRangeInto(LOSSES, 0, losses);
  }
  await state?.close();
  return true;
}

/** Returns the mean of the anchors, each aligned to the one of an index if symmetries are known. */
async function meanOfAnchors(
  search: StarSearch,
  index: number,
  options: { readonly seed: number; readonly restarts: number; readonly signal?: AbortSignal | undefined },
): Promise<Checkpoint> {
  const { symmetries, anchors } = search;
  const target = at(anchors, index, "anchor");
  const aligned: Checkpoint[] = [];
  for (const anchor of anchors) {
    const isHere = anchor === target || symmetries === undefined;
    aligned.push(isHere ? anchor : await alignTo(target, anchor, { ...search, symmetries }, options));
  }
  return average(aligned);
}

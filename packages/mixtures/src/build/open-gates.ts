import { type Checkpoint, defineCheckpoint, type Tensor, type TensorInfo } from "@isthmus/core";
import type { Engine } from "@isthmus/graph";
import { conditionOfGates, noteAlikeGates } from "./condition-gates.ts";
import type { DenseModel } from "./dense-model.ts";
import type { GateContext, GateMode, LayerGates } from "./gate-mode.ts";
import { keepGates } from "./keep-gates.ts";
import type { OpenedMixture } from "./open-mixture.ts";
import { fillMadeTensors, listMadeTensors } from "./plan-mixture.ts";

/** Lists the models of a mixture, each once, the base first. */
export function modelsOf({ extents: { base }, experts, shared }: OpenedMixture): readonly DenseModel[] {
  const all = [base, ...experts.map(({ model }) => model), ...(shared === undefined ? [] : [shared.model])];
  return [...new Set(all)];
}

/** Returns the tensors that no model has, as zeros. */
export function zeroGates(opened: OpenedMixture): Checkpoint {
  return defineCheckpoint({
    source: "gates",
    tensors: listMadeTensors(opened),
    readInto: async (_name, _begin, out) => void out.fill(0 as never),
  });
}

/** Options of {@link makeTensors}. */
export interface MakeGatesOptions {
  /** Engine that runs networks for modes of gates that do. @defaultValue none: such modes are refused */
  readonly engine?: Engine | undefined;
  /** Signal that stops the work. @defaultValue none */
  readonly signal?: AbortSignal | undefined;
  /** Called with the share of the work that is done, in `[0, 1]`. @defaultValue not told */
  readonly onProgress?: ((done: number) => void) | undefined;
  /** Called with each note for the user. @defaultValue notes are dropped */
  readonly onNote?: ((note: string) => void) | undefined;
}

/** Most experts whose gates are compared with each other, as the time grows with their square. */
const MOST_COMPARED = 64;

/** Makes the tensors that no model has, with the gates by their mode. */
export async function makeTensors(
  opened: OpenedMixture,
  options: MakeGatesOptions,
): Promise<ReadonlyMap<string, Tensor>> {
  const { gateMode, gated, extents, seed } = opened;
  const { base, active } = extents;
  const context = { base, experts: gated, active, reads: "layer", seed } as const;
  return fillMadeTensors(opened, await computeGates(gateMode, { ...context, ...options }, extents.experts));
}

/**
 * Computes gates by their mode, and says whether gates of prompts are alike.
 * @param routed - number of experts of the router, which have the first rows
 */
export async function computeGates(
  mode: GateMode,
  context: MakeGatesOptions &
    Pick<GateContext, "base" | "experts" | "active" | "reads" | "features" | "seed">,
  routed: number,
): Promise<readonly LayerGates[]> {
  const { engine, signal, onNote, onProgress, base } = context;
  const computed = await mode.compute({
    ...context,
    engine,
    signal,
    onProgress: (done) => onProgress?.(done),
    onNote: (note) => onNote?.(note),
  });
  if (mode.needsPrompts && routed > 1 && routed <= MOST_COMPARED) {
    const rows = computed.map((gates) => gates.subarray(0, routed * base.width));
    const alike = noteAlikeGates(rows.map((gates) => conditionOfGates(gates, routed)));
    if (alike !== undefined) onNote?.(alike);
  }
  return computed;
}

/** Computes the gates and says whether they are alike, or takes the gates of an interrupted call. */
export async function openGates(
  opened: OpenedMixture,
  output: string,
  options: MakeGatesOptions,
): Promise<Checkpoint> {
  const { gateMode, gated, extents, seed } = opened;
  const tensors = listMadeTensors(opened);
  const files = modelsOf(opened).flatMap(({ checkpoint }) => checkpoint.files);
  const keeping = { mode: gateMode, experts: gated, active: extents.active, seed, tensors, files };
  return openKeptGates(output, keeping, options, () => makeTensors(opened, options));
}

/** Gates that are computed or taken from an interrupted call, and all that decides them. */
interface KeptGates extends Pick<GateContext, "experts" | "active" | "seed"> {
  /** Mode of the gates. */
  readonly mode: GateMode;
  /** Names and shapes of their tensors. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Files of the models. */
  readonly files: readonly string[];
}

/** Makes the tensors of gates, or opens what an interrupted call kept in the folder of the result. */
export async function openKeptGates(
  output: string,
  { mode, experts, active, seed, tensors, files }: KeptGates,
  { engine }: Pick<MakeGatesOptions, "engine">,
  make: () => Promise<ReadonlyMap<string, Tensor>>,
): Promise<Checkpoint> {
  const settings = {
    mode: mode.name,
    experts: experts.map(({ recipe }) => recipe),
    active,
    seed,
    engine: engine?.name ?? null,
    tensors: [...tensors],
  };
  const read = [...files, ...((await mode.files?.(experts)) ?? [])];
  const stored = await keepGates(output, { identity: { settings, files: read }, tensors }, make);
  // The name of the file has a digest of times, which the metadata of the result must not have.
  return defineCheckpoint({
    source: "gates",
    tensors,
    readInto: (name, begin, out) => stored.readRangeInto(name, begin, out),
    close: () => stored.close(),
  });
}

import { type Checkpoint, defineCheckpoint, type Tensor } from "@isthmus/core";
import type { Engine } from "@isthmus/graph";
import { conditionOfGates, noteAlikeGates } from "./condition-gates.ts";
import type { DenseModel } from "./dense-model.ts";
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
  { engine, signal, onNote, onProgress }: MakeGatesOptions,
): Promise<ReadonlyMap<string, Tensor>> {
  const { gateMode, gated, extents, seed } = opened;
  const { base, experts, active } = extents;
  const computed = await gateMode.compute({
    ...{ base, experts: gated, active, seed, engine, signal },
    onProgress: (done) => onProgress?.(done),
    onNote: (note) => onNote?.(note),
  });
  if (gateMode.needsPrompts && experts > 1 && experts <= MOST_COMPARED) {
    const rows = computed.map((gates) => gates.subarray(0, experts * base.width));
    const alike = noteAlikeGates(rows.map((gates) => conditionOfGates(gates, experts)));
    if (alike !== undefined) onNote?.(alike);
  }
  return fillMadeTensors(opened, computed);
}

/** Computes the gates and says whether they are alike, or takes the gates of an interrupted call. */
export async function openGates(
  opened: OpenedMixture,
  output: string,
  options: MakeGatesOptions,
): Promise<Checkpoint> {
  const { gateMode, gated, extents, seed } = opened;
  const { active } = extents;
  const tensors = listMadeTensors(opened);
  const files = [
    ...modelsOf(opened).flatMap(({ checkpoint }) => checkpoint.files),
    ...((await gateMode.files?.(gated)) ?? []),
  ];
  const settings = {
    mode: gateMode.name,
    experts: gated.map(({ recipe }) => recipe),
    active,
    seed,
    engine: options.engine?.name ?? null,
    tensors: [...tensors],
  };
  const stored = await keepGates(output, { identity: { settings, files }, tensors }, () =>
    makeTensors(opened, options),
  );
  // The name of the file has a digest of times, which the metadata of the result must not have.
  return defineCheckpoint({
    source: "gates",
    tensors,
    readInto: (name, begin, out) => stored.readRangeInto(name, begin, out),
    close: () => stored.close(),
  });
}

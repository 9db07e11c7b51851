import { join } from "@isthmus/platform";
import { InputError, UnsupportedError } from "../../errors.ts";
import { at } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { MAX_RANK } from "../../io/limits.ts";
import { formatErrors } from "../format-errors.ts";
import { OPTIMIZER_FILE } from "../run-file-names.ts";
import { countOf, entriesOf, extentsOf, itemsOf, lookInto } from "../torch/pickle/look-into.ts";
import { type RankFile, readRankFile } from "../torch/rank-file.ts";
import { isTorchTensor, type TorchTensor } from "../torch/tensors.ts";

export const zeroError: ReturnType<typeof formatErrors> = formatErrors("zero");

const MODEL = /_model_states\.pt$/;
const RANK = /zero_pp_rank_(\d+)_mp_rank_(\d+)_optim_states\.pt$/;

/** Files of the states of all processes, in the order of the processes. */
export interface ZeroFiles {
  /** Names of the files of optimizers. */
  readonly optimizers: readonly string[];
  /** Names of the files of models; the first alone in stages 1 and 2. */
  readonly models: readonly string[];
}

/**
 * Finds the files of all processes by their names.
 * @throws UnsupportedError if layers are split between processes, or are experts or stages of a pipeline
 * @throws InputError if the file of a process is missing
 */
export function findZeroFiles(folder: string, names: readonly string[]): ZeroFiles {
  const split = names.find((name) => MODEL.test(name) && /^(layer_|expert_)|mp_rank_0*[1-9]/.test(name));
  if (split !== undefined) {
    throw new UnsupportedError(
      `Cannot open "${folder}" as ZeRO checkpoints of parallel data are handled: "${split}" is of a model that is split into experts, stages or slices; let the training program gather its weights, or convert it with ds_to_universal.py of DeepSpeed and join the files fp32.pt, as docs/training-runs.md shows`,
      { feature: "ZeRO with model parallelism" },
    );
  }
  const optimizers = inOrder(names.filter((name) => OPTIMIZER_FILE.test(name)));
  const models = inOrder(names.filter((name) => MODEL.test(name)));
  for (const [rank, name] of optimizers.entries()) {
    const number = RANK.exec(name)?.[1];
    if (number !== undefined && Number(number) !== rank) throw missingFile(folder, rank, name);
  }
  if (models.length > 0) return { optimizers, models };
  throw new InputError(
    `Cannot open "${folder}" as files of model states must be beside those of the optimizer: there are none`,
    { input: folder },
  );
}

function missingFile(folder: string, rank: number, like: string): InputError {
  const name = like.replace(/zero_pp_rank_\d+/, `zero_pp_rank_${rank}`);
  return new InputError(
    `Cannot open "${join(folder, name)}" as the file of each process must be there: it is missing; copy it from the machine of process ${rank}`,
    { input: join(folder, name) },
  );
}

function inOrder(names: readonly string[]): string[] {
  return [...names].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/** State of the optimizer of one process. */
export interface OptimizerState {
  /** File of the process. */
  readonly file: RankFile;
  /** Stage of ZeRO: 1, 2 or 3. */
  readonly stage: number;
  /** Parts of the weights in f32, one for each group of parameters, or several for them all in stage 3. */
  readonly groups: readonly TorchTensor[];
  /** Elements between parameters of each group that hold nothing; undefined if there are none. */
  readonly paddings: unknown;
}

/**
 * Reads the state of the optimizer of each process, without elements.
 * @throws InputError if there are fewer files than processes
 */
export async function readOptimizers(
  folder: string,
  names: readonly string[],
  sources: ReadonlyMap<string, ByteSource>,
): Promise<OptimizerState[]> {
  const states: OptimizerState[] = [];
  for (const name of names) {
    const source = sources.get(name);
    if (source !== undefined) states.push(await readOptimizer(source, names.length, folder));
  }
  const [{ stage, groups } = { stage: 0, groups: [] }] = states;
  for (const state of states) {
    if (state.stage !== stage || state.groups.length !== groups.length)
      throw zeroError(
        state.file,
        `all processes must have one stage and as many groups: it has stage ${state.stage} and ${state.groups.length}, not ${stage} and ${groups.length}`,
      );
  }
  return states;
}

async function readOptimizer(source: ByteSource, files: number, folder: string): Promise<OptimizerState> {
  const file = await readRankFile(source);
  const state = lookInto(file.value, "optimizer_state_dict");
  const stage = countOf(lookInto(state, "zero_stage"));
  if (stage === undefined || stage < 1 || stage > 3)
    throw zeroError(source, "it must hold the state of ZeRO's stage 1, 2 or 3: it does not");
  const counts = lookInto(state, "partition_count");
  const count = Math.max(0, ...[counts, ...itemsOf(counts)].map((one) => countOf(one) ?? 0));
  if (count > files) throw missingFile(folder, files, source.name.slice(folder.length + 1));
  if (count !== files)
    throw zeroError(
      source,
      `there must be a file for each of its ${count} processes: there are ${files}; an earlier run may have left some`,
    );
  const groups = itemsOf(
    lookInto(state, stage === 3 ? "fp32_flat_groups" : "single_partition_of_fp32_groups"),
  );
  const flat = groups.filter(isTorchTensor);
  if (
    flat.length === 0 ||
    flat.length !== groups.length ||
    flat.some((tensor) => tensor.shape.length !== 1 || tensor.dtype !== at(flat, 0).dtype)
  )
    throw zeroError(source, "it must hold the weights of each group as a flat tensor: it does not");
  return { file, stage, groups: flat, paddings: lookInto(state, "param_alignment_paddings") };
}

/** State of the model of one process. */
export interface ModelState {
  /** File of the process. */
  readonly file: RankFile;
  /** Names and shapes of the trained parameters, group by group. */
  readonly groups: readonly (readonly (readonly [string, readonly number[]])[])[];
  /** Names and shapes of the frozen parameters. */
  readonly frozen: readonly (readonly [string, readonly number[]])[];
  /** Frozen parameters, or the part of each that the process held. */
  readonly fragments: ReadonlyMap<string, TorchTensor>;
  /** Tensors that are not trained, such as running means. */
  readonly buffers: ReadonlyMap<string, TorchTensor>;
  /** Pairs of names of one tensor; the second is among the parameters. */
  readonly shared: readonly (readonly [string, string])[];
}

/** Reads the state of the model of one process, without elements. */
export async function readModelState(source: ByteSource): Promise<ModelState> {
  const file = await readRankFile(source);
  const of = (key: string): unknown => lookInto(file.value, key);
  const shapes = of("param_shapes");
  const groups = Array.isArray(shapes) ? shapes : [shapes];
  const names = new Set(itemsOf(of("buffer_names")));
  return {
    file,
    groups: groups.map((group) => shapesOf(group, file)),
    frozen: shapesOf(of("frozen_param_shapes"), file),
    fragments: tensorsOf(of("frozen_param_fragments")),
    buffers: new Map([...tensorsOf(of("module"))].filter(([name]) => names.has(name))),
    shared: entriesOf(of("shared_params")).flatMap(([name, as]) =>
      typeof as === "string" ? [[name, as] as const] : [],
    ),
  };
}

function shapesOf(value: unknown, file: RankFile): (readonly [string, readonly number[]])[] {
  return entriesOf(value).map(([name, size]) => {
    const shape = extentsOf(size, MAX_RANK);
    if (shape === undefined) throw zeroError(file, `"${name}" must have a shape: it has none`);
    return [name, shape];
  });
}

function tensorsOf(value: unknown): ReadonlyMap<string, TorchTensor> {
  return new Map(
    entriesOf(value).flatMap(([name, tensor]) => (isTorchTensor(tensor) ? [[name, tensor] as const] : [])),
  );
}

import { join, readdir } from "@isthmus/platform";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { InputError, UnsupportedError } from "../../errors.ts";
import { at, entry } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { sameShape } from "../../tensor/shape.ts";
import { formatErrors } from "../format-errors.ts";
import { defineJoinedCheckpoint, type JoinedTensor } from "../pieces/define-joined-checkpoint.ts";
import { openTogether } from "../pieces/open-together.ts";
import type { Piece, ReadPart } from "../pieces/piece.ts";
import { MEGATRON_RANK } from "../run-file-names.ts";
import { collectTensors } from "../torch/collect-tensors.ts";
import { lookInto } from "../torch/pickle/look-into.ts";
import { readRankFile } from "../torch/rank-file.ts";
import type { TorchTensor } from "../torch/tensors.ts";
import { splitOf } from "./split-axis.ts";

const megatronError = formatErrors("megatron");

/** Names of the file of weights in the folder of a process. */
const FILES: readonly string[] = ["model_optim_rng.pt", "model_rng.pt"];

/** Weights that one process stored. */
interface Rank {
  readonly slice: number;
  readonly stage: number;
  readonly file: string;
  /** Whether MLPs have a gate. */
  readonly isGated: boolean;
  readonly tensors: ReadonlyMap<string, { readonly info: TorchTensor; readonly read: ReadPart }>;
}

/**
 * Opens a folder `iter_NNNNNNN` in which Megatron-LM stored a run in its format `torch`: a file for each
 * slice of tensors and each stage of the pipeline. Slices are joined along their axis, which follows from
 * the names of layers, and layers of later stages are numbered on. The result is what one process alone
 * would have stored: the rows of queries, keys and values stay in Megatron's order, and a vocabulary that
 * was padded stays so. The format `torch_dist` is read as a distributed checkpoint.
 * @throws InputError if the file of a process is missing
 * @throws FormatError if a file is damaged, or slices do not fit
 * @throws UnsupportedError if there are experts in parallel or virtual stages, or it is unknown how a tensor
 *   is split
 */
export async function openMegatron(folder: string, names: readonly string[]): Promise<Checkpoint> {
  const files = await findFiles(folder, names);
  return openTogether({ format: "megatron", folder, names: [...files.keys()] }, async (sources) => {
    const ranks: Rank[] = [];
    for (const [name, [slice, stage]] of files)
      ranks.push(await readRank(entry(sources, name, "file"), slice, stage));
    return defineJoinedCheckpoint({
      format: "megatron",
      source: folder,
      tensors: joinStages(folder, ranks),
      files: [...sources.values()].map((source) => source.name),
      close: async () => {
        for (const source of sources.values()) await source.close();
      },
    });
  });
}

/** Finds the file of each process; the slices and stages must be a full grid. */
async function findFiles(
  folder: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly [slice: number, stage: number]>> {
  const strange = names.find((name) => name.startsWith("mp_rank_") && !MEGATRON_RANK.test(name));
  if (strange !== undefined)
    throw unsupported(folder, `experts in parallel are not handled: there is "${strange}"`);
  const files = new Map<string, readonly [number, number]>();
  for (const name of names) {
    const [, slice, stage = "0"] = MEGATRON_RANK.exec(name) ?? [];
    if (slice === undefined) continue;
    const inside = await readdir(join(folder, name));
    const file = FILES.find((one) => inside.includes(one));
    if (file === undefined) throw missing(join(folder, name, at(FILES, 0)));
    files.set(`${name}/${file}`, [Number(slice), Number(stage)]);
  }
  assertGrid(folder, files);
  return files;
}

/** Checks that there is a process for each slice of each stage. */
function assertGrid(
  folder: string,
  files: ReadonlyMap<string, readonly [slice: number, stage: number]>,
): void {
  const isPipelined = [...files.keys()].some((name) => /^mp_rank_\d{2}_/.test(name));
  const places = [...files.values()];
  const present = new Set(places.map(String));
  const [slices = 0, stages = 0] = [0, 1].map((i) => 1 + Math.max(...places.map((place) => at(place, i))));
  for (let i = 0; i < slices * stages; i++) {
    const [slice, stage] = [Math.floor(i / stages), i % stages];
    if (present.has(String([slice, stage]))) continue;
    const suffix = isPipelined ? `_${String(stage).padStart(3, "0")}` : "";
    throw missing(join(folder, `mp_rank_${String(slice).padStart(2, "0")}${suffix}`));
  }
}

function missing(path: string): InputError {
  return new InputError(`Cannot open "${path}" as the file of each process must be there: it is missing`, {
    input: path,
  });
}

function unsupported(folder: string, problem: string): UnsupportedError {
  return new UnsupportedError(
    `Cannot open "${folder}" as ${problem}; store the run with --ckpt-format torch_dist, which needs no rules`,
    { feature: "Megatron layout" },
  );
}

async function readRank(source: ByteSource, slice: number, stage: number): Promise<Rank> {
  const file = await readRankFile(source);
  const args = lookInto(file.value, "args");
  if (lookInto(file.value, "model") === undefined)
    throw unsupported(
      source.name,
      "weights must be under the key model: virtual stages of a pipeline are not handled",
    );
  const version = lookInto(file.value, "checkpoint_version");
  if (typeof version === "number" && version < 1)
    throw unsupported(
      source.name,
      `the layout of queries, keys and values must be of version 1 or later: it is ${version}`,
    );
  const sizes = ["tensor_model_parallel_size", "pipeline_model_parallel_size"].map((name) =>
    lookInto(args, name),
  );
  for (const [i, place] of [slice, stage].entries()) {
    const size = sizes[i];
    if (typeof size === "number" && place >= size)
      throw megatronError(source, `it must be of one of ${size} processes: it is in place ${place}`);
  }
  const weights = [...collectTensors(lookInto(file.value, "model"), source.name)].filter(
    ([name]) => !name.endsWith("_extra_state"),
  );
  const reads = file.readers(weights.map(([, tensor]) => tensor));
  const tensors = new Map(weights.map(([name, info], i) => [name, { info, read: at(reads, i) }]));
  return { slice, stage, file: source.name, isGated: lookInto(args, "swiglu") === true, tensors };
}

const LAYER = /(^|\.)layers\.(\d+)\./;

/** Joins the slices of each stage, and numbers the layers of later stages on. */
function joinStages(folder: string, ranks: readonly Rank[]): ReadonlyMap<string, JoinedTensor> {
  const joined = new Map<string, JoinedTensor>();
  const stages = 1 + Math.max(...ranks.map(({ stage }) => stage));
  let before = 0;
  for (let stage = 0; stage < stages; stage++) {
    const slices = ranks.filter((rank) => rank.stage === stage).sort((a, b) => a.slice - b.slice);
    let layers = 0;
    for (const name of at(slices, 0, "slice").tensors.keys()) {
      const number = LAYER.exec(name)?.[2];
      const first = before;
      layers = Math.max(layers, number === undefined ? 0 : Number(number) + 1);
      const full = name.replace(
        LAYER,
        (_, start: string, n: string) => `${start}layers.${Number(n) + first}.`,
      );
      // The last stage has a copy of tied embeddings.
      if (!joined.has(full)) joined.set(full, joinSlices(folder, name, slices));
    }
    before += layers;
  }
  return joined;
}

function joinSlices(folder: string, name: string, slices: readonly Rank[]): JoinedTensor {
  const parts = slices.map(({ tensors, file }) => {
    const tensor = tensors.get(name);
    if (tensor === undefined)
      throw megatronError(file, `it must hold a slice of "${name}", as that of the first process does`);
    return { ...tensor, file };
  });
  const { dtype, shape } = at(parts, 0).info;
  if (parts.some(({ info }) => info.dtype !== dtype || !sameShape(info.shape, shape)))
    throw megatronError(folder, `slices of "${name}" must have one type and shape: they differ`);
  const split = parts.length === 1 ? "copies" : splitOf(name, at(slices, 0).isGated);
  if (split === undefined)
    throw unsupported(folder, `it must be known how "${name}" is split: no rule fits its name`);
  const axis = split === "columns" ? 1 : 0;
  if (split === "copies")
    return {
      dtype,
      shape,
      pieces: [
        boxOf(
          at(parts, 0),
          shape.map(() => 0),
          shape,
        ),
      ],
    };
  const extent = shape[axis];
  if (extent === undefined)
    throw megatronError(folder, `"${name}" must have ${axis + 1} axes: it has ${shape.length}`);
  const full = shape.map((size, i) => (i === axis ? size * parts.length : size));
  if (split !== "gated rows") {
    const pieces = parts.map((part, i) =>
      boxOf(
        part,
        shape.map((_, k) => (k === axis ? i * extent : 0)),
        shape,
      ),
    );
    return { dtype, shape: full, pieces };
  }
  // Each slice has its rows of the gate, then its rows of the projection.
  const half = extent / 2;
  if (!Number.isInteger(half))
    throw megatronError(
      folder,
      `"${name}" must have as many rows of a gate as of a projection: it has ${extent}`,
    );
  const box = shape.map((size, i) => (i === 0 ? half : size));
  const skip = half * shape.slice(1).reduce((product, size) => product * size, 1);
  const pieces = parts.flatMap((part, i) =>
    [0, 1].map((side) => {
      const read: ReadPart = (begin, out) => part.read(side * skip + begin, out);
      return boxOf(
        { ...part, read },
        shape.map((_, k) => (k === 0 ? (side * parts.length + i) * half : 0)),
        box,
      );
    }),
  );
  return { dtype, shape: full, pieces };
}

function boxOf(
  part: { readonly file: string; readonly read: ReadPart },
  offsets: readonly number[],
  sizes: readonly number[],
): Piece {
  return { offsets, sizes, origin: part.file, read: part.read };
}

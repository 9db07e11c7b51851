import { join } from "@isthmus/platform";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { InputError } from "../../errors.ts";
import { at, entry } from "../../invariant.ts";
import type { DType } from "../../tensor/dtype.ts";
import { formatErrors } from "../format-errors.ts";
import { defineJoinedCheckpoint, type JoinedTensor } from "../pieces/define-joined-checkpoint.ts";
import { openTogether } from "../pieces/open-together.ts";
import type { Piece } from "../pieces/piece.ts";
import { MODEL_OF_RANK } from "../run-file-names.ts";
import { collectLeaves } from "../torch/collect-tensors.ts";
import { PickleRecord } from "../torch/pickle/pickle-record.ts";
import { type RankFile, readRankFile } from "../torch/rank-file.ts";
import { isTorchTensor, type TorchTensor } from "../torch/tensors.ts";
import { boxesOf, type HeldBox } from "./held-boxes.ts";

const rankError = formatErrors("fsdp");

/** A tensor that is put together from the boxes of all processes. */
interface Tiles {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly pieces: Piece[];
}

/**
 * Opens a folder with a file `model_world_size_N_rank_R.pt` of each process, as verl stores runs with FSDP:
 * state dictionaries of PyTorch's `DTensor` or `ShardedTensor`, of which each process holds a box. Boxes of
 * which several processes have copies are read once. No code in the files is run.
 * @throws InputError if the file of a process is missing
 * @throws FormatError if a file is damaged, or boxes do not cover a tensor, each element once
 * @throws UnsupportedError if a tensor is placed in another way
 */
export async function openRankFiles(folder: string, names: readonly string[]): Promise<Checkpoint> {
  const files = findFiles(folder, names);
  return openTogether({ format: "fsdp", folder, names: files }, async (sources) => {
    const tiles = new Map<string, Tiles>();
    for (const [rank, name] of files.entries())
      addTensors(await readRankFile(entry(sources, name, "file")), rank, tiles);
    return defineJoinedCheckpoint({
      format: "fsdp",
      source: folder,
      tensors: tiles satisfies ReadonlyMap<string, JoinedTensor>,
      files: [...sources.values()].map((source) => source.name),
      close: async () => {
        for (const source of sources.values()) await source.close();
      },
    });
  });
}

/** Finds the files of all processes by their names, in order. */
function findFiles(folder: string, names: readonly string[]): string[] {
  const ranks = new Map<string, string>();
  for (const name of names) {
    const [, count, rank] = MODEL_OF_RANK.exec(name) ?? [];
    if (count !== undefined) ranks.set(`${count} ${rank}`, name);
  }
  const counts = new Set([...ranks.keys()].map((key) => Number(key.split(" ")[0])));
  const [count = 0, other] = counts;
  if (other !== undefined)
    throw rankError(
      folder,
      `all files must be of one run: some are of ${count} processes and some of ${other}; remove those of the earlier run`,
    );
  if (count < 1 || ranks.size > count)
    throw rankError(folder, `there must be a file for each of ${count} processes: there are ${ranks.size}`);
  return Array.from({ length: Math.min(count, ranks.size + 1) }, (_, rank) => {
    const name = ranks.get(`${count} ${rank}`);
    if (name !== undefined) return name;
    const path = join(folder, `model_world_size_${count}_rank_${rank}.pt`);
    throw new InputError(`Cannot open "${path}" as the file of each process must be there: it is missing`, {
      input: path,
    });
  });
}

/** Adds the boxes that one process holds; plain tensors, of which each process has a copy, of the first. */
function addTensors(file: RankFile, rank: number, tiles: Map<string, Tiles>): void {
  const isHeld = (value: unknown): value is TorchTensor | PickleRecord =>
    isTorchTensor(value) ||
    (value instanceof PickleRecord && value.name.endsWith("._rebuild_wrapper_subclass"));
  const boxes: (readonly [name: string, shape: readonly number[], box: HeldBox])[] = [];
  for (const [name, value] of collectLeaves(file.value, file.name, isHeld)) {
    if (value instanceof PickleRecord) {
      const { shape, held } = boxesOf(value, name, file.name);
      for (const box of held) boxes.push([name, shape, box]);
    } else if (rank === 0) {
      const { shape } = value;
      boxes.push([name, shape, { offsets: shape.map(() => 0), tensor: value }]);
    }
  }
  const reads = file.readers(boxes.map(([, , { tensor }]) => tensor));
  for (const [i, [name, shape, { offsets, tensor }]] of boxes.entries()) {
    const { dtype } = tensor;
    const tile = tiles.get(name) ?? { dtype, shape, pieces: [] };
    if (tile.dtype !== dtype || String(tile.shape) !== String(shape))
      throw rankError(
        file.name,
        `"${name}" must be ${tile.dtype} [${tile.shape}] in all files: it is ${dtype} [${shape}]`,
      );
    tile.pieces.push({ offsets, sizes: tensor.shape, origin: file.name, read: at(reads, i) });
    tiles.set(name, tile);
  }
}

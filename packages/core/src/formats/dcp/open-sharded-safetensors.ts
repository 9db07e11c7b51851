import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { at } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { excerpt } from "../../json/excerpt.ts";
import { parseJson } from "../../json/parse-json.ts";
import type { DType } from "../../tensor/dtype.ts";
import { formatErrors } from "../format-errors.ts";
import { defineJoinedCheckpoint, type JoinedTensor } from "../pieces/define-joined-checkpoint.ts";
import { openTogether } from "../pieces/open-together.ts";
import type { Piece } from "../pieces/piece.ts";
import { readFrom } from "../pieces/read-from.ts";
import { SHARD_OF_PROCESS } from "../run-file-names.ts";
import { openSafetensors } from "../safetensors/open-safetensors.ts";

const formatError = formatErrors("dcp");

/** Boxes of one tensor, collected from the files of all processes. */
interface Boxes {
  readonly dtype: DType;
  readonly pieces: Piece[];
}

/**
 * Opens safetensors files that `HuggingFaceStorageWriter` of `torch.distributed.checkpoint` wrote with
 * `save_distributed`: each process wrote its parts of tensors, and their offsets into the metadata.
 *
 * A tensor ends where its parts end, as in PyTorch's own reader: its shape is stored nowhere.
 * @param names - names of the files in the folder
 * @throws FormatError if a file has no offsets, numbers of processes are missing, or parts do not cover a
 *   tensor
 */
export async function openShardedSafetensors(folder: string, names: readonly string[]): Promise<Checkpoint> {
  assertAllProcesses(folder, names);
  return openTogether({ format: "dcp", folder, names }, async (sources) => {
    const boxes = new Map<string, Boxes>();
    for (const source of sources.values()) await addBoxes(source, boxes);
    const tensors = new Map<string, JoinedTensor>();
    for (const [name, { dtype, pieces }] of boxes)
      tensors.set(name, { dtype, shape: extentOf(pieces), pieces });
    return defineJoinedCheckpoint({
      format: "dcp",
      source: folder,
      tensors,
      files: [...sources.values()].map((source) => source.name),
      close: async () => {
        for (const source of sources.values()) await source.close();
      },
    });
  });
}

/** Checks that the numbers of processes go from 1 on without gaps. */
function assertAllProcesses(folder: string, names: readonly string[]): void {
  const present = new Set(names.map((name) => Number(SHARD_OF_PROCESS.exec(name)?.[1])));
  for (let number = 1; number <= present.size; number++) {
    if (!present.has(number)) {
      throw formatError(
        folder,
        `there must be the files of all processes: those of process ${number} are missing`,
      );
    }
  }
}

async function addBoxes(source: ByteSource, boxes: Map<string, Boxes>): Promise<void> {
  const file = await openSafetensors(source, []);
  const sharding = parseJson(file.metadata["DCP_SHARDING_INFO"] ?? "null", {
    attempt: `read "${source.name}"`,
    rule: "DCP_SHARDING_INFO must be JSON",
    format: "dcp",
  });
  for (const [name, { dtype, shape }] of file.tensors) {
    const offsets = offsetsOf(sharding, name);
    if (offsets?.length !== shape.length)
      throw formatError(
        source,
        `its metadata must have the offsets of "${name}" along ${shape.length} axes: it has ${excerpt(offsets)}`,
      );
    const box = boxes.get(name) ?? { dtype, pieces: [] };
    if (box.dtype !== dtype)
      throw formatError(source, `all parts of "${name}" must be ${box.dtype}: one is ${dtype}`);
    box.pieces.push({ offsets, sizes: shape, origin: source.name, read: readFrom(file, name) });
    boxes.set(name, box);
  }
}

function offsetsOf(sharding: unknown, name: string): readonly number[] | undefined {
  const info = isObject(sharding) && Object.hasOwn(sharding, name) ? sharding[name] : undefined;
  const offsets = isObject(info) ? info["saved_offsets"] : undefined;
  const isValid = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;
  return Array.isArray(offsets) && offsets.every(isValid) ? offsets : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the least shape that holds all boxes of a tensor. */
function extentOf(pieces: readonly Piece[]): number[] {
  const rank = at(pieces, 0, "piece").offsets.length;
  return Array.from({ length: rank }, (_, axis) =>
    pieces.reduce((most, { offsets, sizes }) => Math.max(most, endOf(offsets, sizes, axis)), 0),
  );
}

/** Returns where a box ends along an axis; 0 if it has no such axis. */
function endOf(offsets: readonly number[], sizes: readonly number[], axis: number): number {
  return axis < offsets.length && axis < sizes.length ? at(offsets, axis) + at(sizes, axis) : 0;
}

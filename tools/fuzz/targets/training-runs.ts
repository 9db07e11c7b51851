import { readdirSync } from "node:fs";
import { join } from "node:path";
import { database, interior, manifest, withChecksum } from "../../../packages/core/test-fixtures/ocdbt.ts";
import { PICKLE_BOMBS } from "../../../packages/core/test-fixtures/pickles.ts";
import { trainingRun } from "../../../packages/core/test-fixtures/runs.ts";
import { endlessZstd } from "../../../packages/core/test-fixtures/zstd.ts";
import type { Dice } from "../dice.ts";
import { edgeNumber, mutateBytes } from "../mutate/mutate-bytes.ts";
import { mutatePickle } from "../mutate/mutate-pickle.ts";
import { mutateHeaders } from "../mutate/zip-archive.ts";
import { readTensors } from "../read-tensors.ts";
import type { FuzzInput, FuzzTarget } from "../target.ts";

/** A target of files that a training program wrote, of which one is changed, left out or put for another. */
interface RunTarget {
  readonly name: string;
  /** Whether files stay in their folders; otherwise all are put into one. @defaultValue false */
  readonly nested?: boolean;
  /** Names of checkpoints in `packages/core/test-fixtures/runs`. */
  readonly runs: readonly string[];
  /** Further ways to change the bytes of a file. */
  readonly change?: (dice: Dice, bytes: Buffer) => Buffer;
  readonly bombs?: (files: Readonly<Record<string, Buffer>>) => Iterable<FuzzInput>;
}

/** Puts all files into one folder, as a target writes them. */
const flat = (files: Readonly<Record<string, Buffer>>): Readonly<Record<string, Buffer>> =>
  Object.fromEntries(
    Object.entries(files)
      .filter(([path]) => path !== "latest")
      .map(([path, bytes]) => [path.split("/").at(-1) ?? path, bytes]),
  );

function createRunTarget({ name, nested = false, runs, change, bombs }: RunTarget): FuzzTarget {
  const seeds = runs.map((run) => (nested ? trainingRun(run).files : flat(trainingRun(run).files)));
  return {
    name,
    valid: () => seeds,
    *bombs() {
      for (const seed of seeds) yield* bombs?.(seed) ?? [];
    },
    make(dice) {
      const files: Record<string, Uint8Array> = { ...dice.pick(seeds) };
      for (let round = 1 + dice.below(2); round > 0; round--) {
        const file = dice.pick(Object.keys(files));
        const bytes = Buffer.from(files[file] ?? []);
        if (dice.chance(0.05) && Object.keys(files).length > 1) delete files[file];
        else if (dice.chance(0.05)) files[dice.pick(Object.keys(files))] = bytes;
        else if (change !== undefined && dice.chance(0.6)) files[file] = change(dice, bytes);
        else files[file] = mutateBytes(dice, bytes);
      }
      return files;
    },
    async read(folder) {
      const names = readdirSync(folder);
      const [only, ...others] = names;
      await readTensors(only !== undefined && others.length === 0 ? join(folder, only) : folder);
    },
  };
}

/** Writes an edge number at some place. */
function putNumber(dice: Dice, bytes: Buffer): Buffer {
  edgeNumber(dice).copy(bytes, dice.below(bytes.length));
  return bytes;
}

/** Makes distributed checkpoints of PyTorch with other metadata and files of chunks. */
export function createDcpTarget(): FuzzTarget {
  return createRunTarget({
    name: "distributed checkpoint",
    runs: ["dcp", "fsdp", "fsdp1", "fsdp-ranks", "fsdp1-ranks", "dcp-safetensors"],
    change: (dice, bytes) => (bytes[0] === 0x80 ? mutatePickle(dice, bytes) : mutateHeaders(dice, bytes)),
    *bombs(files) {
      for (const bomb of Object.values(PICKLE_BOMBS)) yield { ...files, ".metadata": bomb };
    },
  });
}

/** Makes ZeRO checkpoints of DeepSpeed with other states of processes. */
export function createZeroTarget(): FuzzTarget {
  return createRunTarget({ name: "zero", runs: ["zero2", "zero3"], change: mutateHeaders });
}

/** Changes a block of an OCDBT database, and puts the right checksum behind it. */
function mutateBlock(dice: Dice, bytes: Buffer): Buffer {
  const begins = [...bytes.toString("latin1").matchAll(/\xdb(:\*|\x20\xde)/g)].map(({ index }) => index - 1);
  const begin = begins.length === 0 ? bytes.length : dice.pick(begins);
  const [low = 0, high = 0] = bytes.subarray(begin + 4);
  const block = bytes.subarray(begin, begin + low + 256 * high);
  if (block.length < 20) return mutateBytes(dice, bytes);
  edgeNumber(dice).copy(block, 14 + dice.below(block.length - 18));
  withChecksum(block);
  return bytes;
}

/** Makes checkpoints of Orbax with other trees, descriptions and chunks. */
export function createOrbaxTarget(): FuzzTarget {
  return createRunTarget({
    name: "orbax",
    nested: true,
    runs: ["orbax", "orbax-zarr3", "orbax-folders", "orbax-levels"],
    change: mutateBlock,
    *bombs() {
      const node = interior(1, { length: 0 });
      const child = interior(200, { length: node.length });
      yield { "manifest.ocdbt": manifest({ length: child.length, height: 200 }), "d/x": child };
      for (const array of [
        { shape: [2 ** 40], chunks: [1], compressor: null },
        { shape: [2 ** 31 - 1], chunks: [2 ** 31 - 1], compressor: { id: "zstd" } },
      ]) {
        const description = { ...array, dtype: "|u1", order: "C", zarr_format: 2 };
        yield database({ "a/.zarray": JSON.stringify(description), "a/0": "\x28\xb5\x2f\xfd" });
      }
      const array = { shape: [200], chunks: [200], compressor: { id: "zstd" }, dtype: "|u1", order: "C" };
      for (const size of [200, undefined])
        yield database({
          "a/.zarray": JSON.stringify({ ...array, zarr_format: 2 }),
          "a/0": endlessZstd(size),
        });
    },
  });
}

/** Makes MessagePack of Flax and HDF5 of Keras with other heads, lengths and addresses. */
export function createKerasAndFlaxTarget(): FuzzTarget {
  return createRunTarget({
    name: "keras and flax",
    runs: ["flax", "keras-h5", "keras-keras"],
    change: putNumber,
    *bombs() {
      yield { "x.msgpack": Buffer.from("\x81\xa1a".repeat(1_000_000), "latin1") };
      yield {
        "x.msgpack": Buffer.concat([
          Buffer.from("\x81\xa1a\xdd\x00\x98\x96\x80", "latin1"),
          Buffer.alloc(10_000_000, 0x80),
        ]),
      };
    },
  });
}

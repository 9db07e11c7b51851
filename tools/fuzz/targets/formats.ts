import { join } from "node:path";
import type { Dice } from "../dice.ts";
import { fixture } from "../fixtures.ts";
import { makeGguf } from "../mutate/gguf-file.ts";
import { edgeNumber, mutateBytes } from "../mutate/mutate-bytes.ts";
import { mutateMessage, parseMessage } from "../mutate/mutate-protobuf.ts";
import { packZip } from "../mutate/zip-archive.ts";
import { readTensors } from "../read-tensors.ts";
import type { FuzzInput, FuzzTarget } from "../target.ts";
import { createNpzTarget } from "./arrays.ts";

const read =
  (file: string) =>
  (folder: string): Promise<void> =>
    readTensors(join(folder, file));
const seedOf = (name: string): Buffer => fixture(`packages/core/test-fixtures/formats/${name}`);

/** Makes archives of NumPy as for data sets, and opens them as checkpoints. */
export function createNpzCheckpointTarget(): FuzzTarget {
  const base = createNpzTarget();
  return {
    ...base,
    name: "npz checkpoint",
    valid: () => ["stored.npz", "deflated.npz", "zip64.npz"].map((name) => ({ "x.npz": seedOf(name) })),
    *bombs() {
      yield* base.bombs();
      yield { "x.npz": packZip([["x.npy", Buffer.alloc(100_000_000)]], true) };
    },
    make(dice) {
      if (dice.chance(0.7)) return base.make(dice);
      return { "x.npz": mutateBytes(dice, seedOf(dice.pick(["stored.npz", "deflated.npz", "zip64.npz"]))) };
    },
    read: read("x.npz"),
  };
}

const GGUF = "x.gguf";

/** Makes GGUF files of other counts, types, names, offsets and metadata. */
export function createGgufTarget(): FuzzTarget {
  const seed = seedOf("quants.gguf");
  const headerEnd = seed.indexOf("IQ4_XS", 0, "latin1") + 100;
  return {
    name: "gguf",
    valid: () => [{ [GGUF]: seed }],
    *bombs() {
      // Counts far beyond the file, arrays within arrays, and many arrays of nothing.
      for (const [tensors, entries] of [
        [2n ** 63n, 0n],
        [0n, 2n ** 64n - 1n],
        [40_000n, 40_000n],
      ] as const) {
        yield { [GGUF]: Buffer.concat([ggufHead(tensors, entries), Buffer.alloc(1_000_000)]) };
      }
      yield { [GGUF]: Buffer.concat([ggufHead(0n, 1n), nestedArrays(80_000)]) };
      yield { [GGUF]: Buffer.concat([ggufHead(0n, 1n), ggufArray(7, 3_000_000n), Buffer.alloc(3_000_000)]) };
      yield { [GGUF]: Buffer.concat([ggufHead(0n, 1n), ggufArray(8, 300_000n), Buffer.alloc(2_400_000)]) };
    },
    make(dice) {
      if (dice.chance(0.3)) return { [GGUF]: mutateBytes(dice, seed) };
      if (dice.chance(0.2)) return { [GGUF]: blocksOfAnyType(dice, seed) };
      const changed = Buffer.from(seed);
      for (let round = 1 + dice.below(3); round > 0; round--)
        edgeNumber(dice).copy(changed, dice.below(headerEnd));
      return { [GGUF]: dice.chance(0.2) ? mutateBytes(dice, changed) : changed };
    },
    read: read(GGUF),
  };
}

/** Makes a tensor of any type, known or not, of any bytes. */
function blocksOfAnyType(dice: Dice, seed: Buffer): Buffer {
  const begin = dice.below(1000);
  const bytes = mutateBytes(dice, seed.subarray(begin, begin + 4096));
  const extents = [dice.pick([32, 64, 256, 512, 1000]), 1 + dice.below(3)];
  return makeGguf({}, [{ name: "w", extents, type: dice.below(48), bytes }]);
}

function ggufHead(tensors: bigint, entries: bigint): Buffer {
  const head = Buffer.from("GGUF\x03\0\0\0................", "latin1");
  head.writeBigUInt64LE(tensors, 8);
  head.writeBigUInt64LE(entries, 16);
  return head;
}

/** An entry of the metadata with the key `k`, up to the items of an array. */
function ggufArray(type: number, count: bigint): Buffer {
  const entry = Buffer.alloc(8 + 1 + 4 + 4 + 8);
  entry.writeBigUInt64LE(1n, 0);
  entry.write("k", 8);
  entry.writeUInt32LE(9, 9);
  entry.writeUInt32LE(type, 13);
  entry.writeBigUInt64LE(count, 17);
  return entry;
}

function nestedArrays(levels: number): Buffer {
  const level = ggufArray(9, 1n).subarray(13);
  return Buffer.concat([ggufArray(9, 1n), ...Array.from({ length: levels }, () => level)]);
}

const ONNX = "x.onnx";

/** Makes models of changed initializers, and opens these as checkpoints. */
export function createOnnxWeightsTarget(): FuzzTarget {
  const seed = seedOf("weights.onnx");
  const message = parseMessage(seed);
  if (message === undefined) throw new TypeError("Cannot use the model as a seed as it is no message");
  const beside = { "weights.onnx.data": seedOf("weights.onnx.data") };
  const make = (dice: Dice): FuzzInput => ({
    ...beside,
    [ONNX]: dice.chance(0.3) ? mutateBytes(dice, seed) : mutateMessage(dice, message),
  });
  return {
    name: "onnx weights",
    valid: () => [{ ...beside, [ONNX]: seed }],
    *bombs() {
      // The version, then a graph of a great many empty nodes, or of empty initializers.
      for (const tag of [0x0a, 0x2a]) {
        const parts = Buffer.alloc(1_000_000, Buffer.from([tag, 0]));
        yield { [ONNX]: Buffer.concat([Buffer.from([8, 8, 0x3a, 0xc0, 0x84, 0x3d]), parts]) };
      }
    },
    make,
    read: read(ONNX),
  };
}

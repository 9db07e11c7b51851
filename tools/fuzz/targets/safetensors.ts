import { join } from "node:path";
import { deepen } from "../bombs.ts";
import { fixture } from "../fixtures.ts";
import { mutateBytes } from "../mutate/mutate-bytes.ts";
import { mutateJson, writeJson } from "../mutate/mutate-json.ts";
import { readTensors } from "../read-tensors.ts";
import type { FuzzTarget } from "../target.ts";

const FILE = "x.safetensors";

/** Makes files of a changed header, or changed bytes, and opens them as checkpoints. */
export function createSafetensorsTarget(): FuzzTarget {
  const seed = fixture("packages/core/test-fixtures/types.safetensors");
  const length = Number(seed.readBigUInt64LE(0));
  const header = JSON.parse(seed.toString("utf8", 8, 8 + length)) as object;
  const body = seed.subarray(8 + length);
  const small = { __metadata__: { a: "b" }, x: { dtype: "F32", shape: [1], data_offsets: [0, 4] } };
  return {
    name: "safetensors",
    valid: () => [{ [FILE]: seed }],
    *bombs() {
      for (const text of deepen(small)) yield { [FILE]: encodeSafetensors(text, Buffer.alloc(4)) };
      yield { [FILE]: encodeSafetensors(`{"x":[${"[],".repeat(300_000)}[]]}`, Buffer.alloc(0)) };
      yield { [FILE]: encodeSafetensors(`{${'"":{},'.repeat(200_000)}"":{}}`, Buffer.alloc(0)) };
    },
    make(dice) {
      if (dice.chance(0.4)) return { [FILE]: mutateBytes(dice, seed) };
      const text = writeJson(dice, mutateJson(dice, header));
      return { [FILE]: encodeSafetensors(text, dice.chance(0.1) ? mutateBytes(dice, body) : body) };
    },
    read: (folder) => readTensors(join(folder, FILE)),
  };
}

/** Makes a file of a header as text, and of the elements behind it. */
export function encodeSafetensors(header: string, body: Uint8Array): Buffer {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, body]);
}

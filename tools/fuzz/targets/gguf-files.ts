import { join } from "node:path";
import { createCheckpoint, createTensor, openCheckpoint, readImportance } from "@isthmus/core";
import { applyAdapter, openAdapter } from "@isthmus/merging";
import { makeGguf } from "../mutate/gguf-file.ts";
import { edgeNumber, mutateBytes } from "../mutate/mutate-bytes.ts";
import type { FuzzTarget } from "../target.ts";

const IMPORTANCE = "imatrix";

const floats = (...numbers: number[]): Uint8Array => new Uint8Array(Float32Array.from(numbers).buffer);
const i32 = (value: number): Buffer => Buffer.from(Int32Array.of(value).buffer);

/** Makes importance matrices of both forms, with other counts, sizes and numbers. */
export function createImportanceTarget(): FuzzTarget {
  const name = Buffer.from("blk.0.w.weight");
  const entry = Buffer.concat([i32(name.length), name, i32(4), i32(3), floats(1, 2, 3)]);
  const old = Buffer.concat([i32(2), entry, entry, i32(7), i32(4), Buffer.from("wiki")]);
  const metadata = { "general.type": "imatrix", "imatrix.chunk_count": 3 };
  const made = makeGguf(metadata, [
    { name: "w.weight.in_sum2", extents: [3, 2], type: 0, bytes: floats(1, 2, 3, 4, 5, 6) },
    { name: "w.weight.counts", extents: [1, 2], type: 0, bytes: floats(2, 0) },
  ]);
  return {
    name: "importance",
    valid: () => [{ [IMPORTANCE]: old }, { [IMPORTANCE]: made }],
    *bombs() {
      // More entries, longer names and more numbers than the file holds.
      for (const claim of [[2 ** 31 - 1], [1, 2 ** 31 - 1], [1, 0, 1, 2 ** 31 - 1], [-1], [1, -5]])
        yield { [IMPORTANCE]: Buffer.concat([...claim.map(i32), Buffer.alloc(1_000_000)]) };
    },
    make(dice) {
      const seed = dice.chance(0.5) ? old : made;
      const changed = Buffer.from(seed);
      edgeNumber(dice).copy(changed, dice.below(changed.length));
      return { [IMPORTANCE]: dice.chance(0.5) ? mutateBytes(dice, changed) : changed };
    },
    async read(folder) {
      await readImportance(join(folder, IMPORTANCE));
    },
  };
}

const ADAPTER = "lora.gguf";

/** Makes adapters of llama.cpp with other settings and tensors, and applies them to a network. */
export function createGgufAdapterTarget(): FuzzTarget {
  const metadata = { "general.type": "adapter", "adapter.type": "lora", "adapter.lora.alpha": 4 };
  const seed = makeGguf(metadata, [
    { name: "q.weight.lora_a", extents: [2, 1], type: 0, bytes: floats(1, 2) },
    { name: "q.weight.lora_b", extents: [1, 2], type: 0, bytes: floats(1, 2) },
    { name: "token_embd.weight.lora_a", extents: [1, 2], type: 0, bytes: floats(1, 2) },
    { name: "token_embd.weight.lora_b", extents: [1, 2], type: 0, bytes: floats(1, 2) },
  ]);
  const weight = createTensor("f32", [2, 2], new Float32Array(4));
  const base = createCheckpoint({ "q.weight": weight, "token_embd.weight": weight });
  return {
    name: "gguf adapter",
    valid: () => [{ [ADAPTER]: seed }],
    *bombs() {
      const pair = (name: string) => [
        { name: `${name}.weight.lora_a`, extents: [2 ** 40, 2 ** 20], type: 0, bytes: floats(1) },
        { name: `${name}.weight.lora_b`, extents: [2 ** 20, 2 ** 40], type: 0, bytes: floats(1) },
      ];
      for (const name of ["q", "token_embd"]) yield { [ADAPTER]: makeGguf(metadata, pair(name)) };
    },
    make(dice) {
      const changed = Buffer.from(seed);
      for (let round = 1 + dice.below(2); round > 0; round--)
        edgeNumber(dice).copy(changed, dice.below(changed.length));
      return { [ADAPTER]: dice.chance(0.4) ? mutateBytes(dice, changed) : changed };
    },
    async read(folder) {
      const adapter = await openAdapter(join(folder, ADAPTER));
      try {
        const applied = applyAdapter(base, adapter);
        for (const name of applied.tensors.keys()) await applied.read(name);
      } finally {
        await adapter.close();
      }
    },
  };
}

/** Makes shards of a GGUF file with other metadata, names and tensors, and opens them from one of them. */
export function createGgufShardsTarget(): FuzzTarget {
  const nameOf = (number: number, count: number) =>
    `x-${String(number).padStart(5, "0")}-of-${String(count).padStart(5, "0")}.gguf`;
  const shardOf = (number: number, count: number, total: number) =>
    makeGguf({ "split.no": number, "split.count": count, "split.tensors.count": total }, [
      { name: `w${number}`, extents: [2], type: 0, bytes: floats(number, 2) },
    ]);
  const whole = { [nameOf(1, 2)]: shardOf(0, 2, 2), [nameOf(2, 2)]: shardOf(1, 2, 2) };
  return {
    name: "gguf shards",
    valid: () => [whole],
    *bombs() {
      for (const count of [1e9, 65535, Number.NaN, -1, 1.5])
        yield { [nameOf(1, 2)]: shardOf(0, count, 1e9), [nameOf(1, 65535)]: shardOf(0, count, 1) };
    },
    make(dice) {
      const files: Record<string, Buffer> = {};
      for (let number = 1; number <= 2; number++) {
        const shard = shardOf(dice.below(3), dice.pick([2, 2, 2, 0, 1, 3]), dice.pick([2, 2, 2, 0, 1e9]));
        if (dice.chance(0.5)) edgeNumber(dice).copy(shard, dice.below(shard.length));
        const name = nameOf(dice.pick([number, number, number, 0, 3]), dice.pick([2, 2, 2, 3]));
        files[name] = dice.chance(0.2) ? mutateBytes(dice, shard) : shard;
      }
      return { [nameOf(1, 2)]: shardOf(0, 2, 2), ...files };
    },
    async read(folder) {
      await using network = await openCheckpoint(join(folder, nameOf(1, 2)));
      for (const name of network.tensors.keys()) await network.read(name);
    },
  };
}

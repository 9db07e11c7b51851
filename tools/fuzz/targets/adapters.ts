import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Checkpoint, createCheckpoint, createTensor } from "@isthmus/core";
import { applyAdapter, openAdapter, renameAdapter } from "@isthmus/merging";
import { fixture, savedFiles } from "../fixtures.ts";
import { mutateBytes } from "../mutate/mutate-bytes.ts";
import { mutateJson, writeJson } from "../mutate/mutate-json.ts";
import type { FuzzInput, FuzzTarget } from "../target.ts";
import { encodeSafetensors } from "./safetensors.ts";

type Numbers = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>
>;

const FILE = "x.safetensors";
const SAVED = "model.safetensors";
const SETTINGS = "adapter_config.json";

/** Makes adapters of all kinds whose settings, names, shapes or numbers are changed, and applies them. */
export async function createAdapterTarget(): Promise<FuzzTarget> {
  const golden = JSON.parse(fixture("packages/merging/test/golden/adapters/kinds.json").toString()) as {
    readonly base: Numbers;
    readonly cases: Readonly<Record<string, { readonly settings: object | null; readonly tensors: Numbers }>>;
  };
  const base = checkpointOf(golden.base);
  const seeds = await Promise.all(
    Object.values(golden.cases).map(async ({ settings, tensors }) => {
      const { [SAVED]: bytes = Buffer.alloc(0) } = await savedFiles(checkpointOf(tensors));
      return { settings, bytes };
    }),
  );
  const inputOf = (settings: string | undefined, bytes: Uint8Array): FuzzInput =>
    settings === undefined ? { [FILE]: bytes } : { [SETTINGS]: settings, "adapter_model.safetensors": bytes };
  const textOf = (settings: object | null) => (settings === null ? undefined : JSON.stringify(settings));
  return {
    name: "adapter",
    valid: () => seeds.map(({ settings, bytes }) => inputOf(textOf(settings), bytes)),
    *bombs() {
      for (const { settings, bytes } of seeds) {
        for (const value of [0, -1, 2 ** 40, 1e-300, "x", null, []]) {
          const keys = Object.keys(settings ?? {});
          const changed = Object.fromEntries(keys.map((key) => [key, key === "peft_type" ? "OFT" : value]));
          if (settings !== null) yield inputOf(JSON.stringify(changed), bytes);
        }
      }
    },
    make(dice) {
      const { settings, bytes } = dice.pick(seeds);
      const isOfSettings = settings !== null && dice.chance(0.3);
      const text = isOfSettings ? writeJson(dice, mutateJson(dice, settings)) : textOf(settings);
      const length = Number(bytes.readBigUInt64LE(0));
      const header = JSON.parse(bytes.toString("utf8", 8, 8 + length)) as object;
      if (isOfSettings) return inputOf(text, bytes);
      if (dice.chance(0.3)) return inputOf(text, mutateBytes(dice, bytes));
      return inputOf(
        text,
        encodeSafetensors(writeJson(dice, mutateJson(dice, header)), bytes.subarray(8 + length)),
      );
    },
    read: (folder) => applyAll(folder, base),
  };
}

async function applyAll(folder: string, base: Checkpoint): Promise<void> {
  const isFolder = existsSync(join(folder, SETTINGS));
  const adapter = await openAdapter(isFolder ? folder : join(folder, FILE));
  try {
    const applied = applyAdapter(base, adapter);
    for (const name of applied.tensors.keys()) await applied.read(name);
    // Changes that multiply weights, such as OFT, have names in one program alone.
    if (adapter.naming !== "kohya" || adapter.multiplied.size > 0) return;
    for (const renamed of renameAdapter(adapter, "diffusers", { base })) {
      for (const name of renamed.adapter.checkpoint.tensors.keys())
        await renamed.adapter.checkpoint.read(name);
    }
  } finally {
    await adapter.close();
  }
}

function checkpointOf(tensors: Numbers): Checkpoint {
  return createCheckpoint(
    Object.fromEntries(
      Object.entries(tensors).map(([name, { shape, data }]) => [
        name,
        createTensor("f32", shape, Float32Array.from(data)),
      ]),
    ),
  );
}

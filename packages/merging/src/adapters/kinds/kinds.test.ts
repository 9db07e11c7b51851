import { readFile } from "node:fs/promises";
import { type Checkpoint, createCheckpoint, createTensor, entry } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import type { Adapter } from "../adapter.ts";
import { applyAdapter } from "../apply-adapter.ts";
import { mergeAdapters } from "../merge-adapters.ts";
import { openAdapterFile } from "../open-adapter-file.ts";
import { openPeftKind } from "./open-peft-kind.ts";

type Numbers = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>
>;
interface Case {
  readonly settings: Readonly<Record<string, unknown>> | null;
  readonly tensors: Numbers;
  readonly merged: Numbers;
}

/** What PEFT 0.21 and LyCORIS 4.1 make of adapters, by tools/golden/adapter-kinds.py. */
const golden = JSON.parse(
  await readFile(new URL("../../../test/golden/adapters/kinds.json", import.meta.url), "utf8"),
) as { readonly base: Numbers; readonly cases: Readonly<Record<string, Case>> };

const checkpointOf = (tensors: Numbers): Checkpoint =>
  createCheckpoint(
    Object.fromEntries(
      Object.entries(tensors).map(([name, { shape, data }]) => [
        name,
        createTensor("f32", shape, Float32Array.from(data)),
      ]),
    ),
  );
const base = checkpointOf(golden.base);

async function open({ settings, tensors }: Pick<Case, "settings" | "tensors">): Promise<Adapter> {
  const checkpoint = checkpointOf(tensors);
  const adapter =
    settings === null
      ? await openAdapterFile(checkpoint)
      : await openPeftKind("adapter", checkpoint, settings);
  if (adapter === undefined) throw new Error("no kind of adapter was found");
  return adapter;
}

/** Largest difference of the tensors of a checkpoint from numbers, and of those from others if they are given. */
async function worst(checkpoint: Checkpoint, expected: Numbers): Promise<number> {
  let most = 0;
  for (const [name, { data }] of Object.entries(expected)) {
    const ours = await checkpoint.read(name);
    for (const [i, x] of data.entries()) most = Math.max(most, Math.abs(Number(ours.data[i]) - x));
  }
  return most;
}

describe("other kinds of adapters", () => {
  test.each(Object.entries(golden.cases))("%s is applied as its program does", async (_, one) => {
    const applied = applyAdapter(base, await open(one));
    // The numbers in the file have 7 digits, and weights are up to about 4.
    expect(await worst(applied, one.merged)).toBeLessThan(3e-6);
    const half = applyAdapter(base, await open({ ...one }), { weight: 0.5 });
    if (!("lora_unet_fc.dora_scale" in one.tensors)) {
      const middle = Object.fromEntries(
        Object.entries(one.merged).map(([name, { shape, data }]) => {
          const from = entry(new Map(Object.entries(golden.base)), name, "tensor").data;
          return [name, { shape, data: data.map((x, i) => (x + (from[i] ?? Number.NaN)) / 2) }];
        }),
      );
      expect(await worst(half, middle)).toBeLessThan(3e-6);
    }
  });

  test("rows are the same in whatever ranges they are read", async () => {
    for (const one of Object.values(golden.cases)) {
      const applied = applyAdapter(base, await open(one));
      const { data } = await applied.read("conv.weight");
      expect([...(await applied.readRange("conv.weight", 37, 61))]).toEqual([...data.slice(37, 61)]);
    }
  });

  const settled = (name: string, settings: object, tensors: Record<string, readonly number[]>) => {
    const made = Object.entries(tensors).map(([key, shape]) => {
      const data = Array.from({ length: shape.reduce((size, extent) => size * extent, 1) }, () => 1);
      return [`base_model.${name}${key}`, { shape, data }] as const;
    });
    return open({ settings: { ...settings }, tensors: Object.fromEntries(made) }).then((adapter) =>
      applyAdapter(base, adapter),
    );
  };

  test.each([
    [
      "VeRA without its random factors",
      { peft_type: "VERA" },
      { ".vera_lambda_d": [2], ".vera_lambda_b": [4] },
      "save_projection=True",
    ],
    [
      "BOFT without factors of outputs",
      { peft_type: "BOFT" },
      { ".boft_R": [1, 3, 2, 2] },
      "a factor for each output",
    ],
    [
      "BOFT whose blocks make no butterfly",
      { peft_type: "BOFT" },
      { ".boft_R": [2, 3, 2, 2], ".boft_s": [4, 1] },
      "they are [2,3,2,2]",
    ],
    [
      "BOFT of another width",
      { peft_type: "BOFT" },
      { ".boft_R": [1, 5, 2, 2], ".boft_s": [4, 1] },
      "is for a weight [4, 10]",
    ],
    ["HRA of another width", { peft_type: "HRA" }, { ".hra_u": [7, 2] }, "is for a weight [*, 7]"],
    [
      "tokens outside the embedding",
      { peft_type: "TRAINABLE_TOKENS", token_indices: [5] },
      { ".trainable_tokens_delta": [1, 6] },
      "more than 5",
    ],
    [
      "a token twice",
      { peft_type: "TRAINABLE_TOKENS", token_indices: [1, 1] },
      { ".trainable_tokens_delta": [2, 6] },
      "which differ",
    ],
    [
      "a token that is no number",
      { peft_type: "TRAINABLE_TOKENS", token_indices: ["a"] },
      { ".trainable_tokens_delta": [1, 6] },
      "list of whole numbers",
    ],
  ])("%s is refused", async (_, settings, tensors, message) => {
    await expect(settled("model.fc", settings, tensors)).rejects.toThrow(message);
  });

  test.each([
    ["not square", { "lora_unet_fc.oft_blocks": [2, 2, 3] }, "they are [2,2,3]"],
    [
      "lengths of other rows",
      { "lora_unet_fc.oft_blocks": [2, 2, 2], "lora_unet_fc.rescale": [3, 1] },
      "a factor for each output or none",
    ],
    ["of other rows", { "lora_unet_fc.oft_blocks": [3, 2, 2] }, "is for a weight [6, ...]"],
    ["without numbers", { "lora_unet_fc.on_input": [] }, "it has 0 weights"],
  ])("a file of LyCORIS %s is refused", async (_, shapes, message) => {
    const tensors = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => {
        const data = Array.from(
          { length: shape.reduce((size: number, extent) => size * extent, 1) },
          () => 1,
        );
        return [name, { shape, data }];
      }),
    );
    const applying = open({ settings: null, tensors }).then((adapter) => applyAdapter(base, adapter));
    await expect(applying).rejects.toThrow(message);
  });

  const products = Object.entries(golden.cases).filter(
    ([name]) => !/OFT|IA3|HRA|VeRA|tokens|lengths/.test(name),
  );

  test.each(products)("%s is merged through its products", async (_, one) => {
    const twice = mergeAdapters([await open(one), await open(one)], { combination: "cat", weights: [2, -1] });
    expect(await worst(applyAdapter(base, twice), one.merged)).toBeLessThan(1e-5);
    const rank = 24;
    const best = mergeAdapters([await open(one)], { combination: "svd", rank });
    expect(await worst(applyAdapter(base, best), one.merged)).toBeLessThan(1e-5);
  });
});

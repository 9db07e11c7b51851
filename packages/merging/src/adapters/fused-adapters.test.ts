import { readFileSync } from "node:fs";
import {
  at,
  type Checkpoint,
  createCheckpoint,
  createTensor,
  entry,
  sizeOf,
  type Tensor,
  toFloat64,
} from "@isthmus/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fileOf, LAYOUT_CASES } from "../../test/layout-files.ts";
import type { Adapter } from "./adapter.ts";
import { applyAdapter } from "./apply-adapter.ts";
import { openAdapterFile } from "./open-adapter-file.ts";
import { renameAdapter } from "./rename-adapter.ts";
import { shareFactors } from "./share-factors.ts";

const { kohya } = JSON.parse(
  readFileSync(new URL("../../test/golden/layouts.json", import.meta.url), "utf8"),
) as {
  readonly kohya: {
    /** Rows and columns of the modules of a Flux, by their original names. */
    readonly shapes: Readonly<Record<string, readonly [number, number]>>;
    /** First row and number of rows of each run of rows, by the names of diffusers. */
    readonly products: Readonly<Record<string, readonly (readonly [number, number])[]>>;
  };
};

const tensor = (shape: readonly number[], number: (i: number) => number): Tensor =>
  createTensor(
    "f32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => number(i)),
  );

/** The LoRA of the golden file: row `j` of module `i` is `100 i + j` in all columns. */
const FILE = createCheckpoint(
  Object.assign(
    {},
    ...Object.entries(kohya.shapes).map(([name, [rows, columns]], i) => {
      const module = `lora_unet_${name.replaceAll(".", "_")}`;
      return {
        [`${module}.lora_down.weight`]: tensor([1, columns], () => 1),
        [`${module}.lora_up.weight`]: tensor([rows, 1], (row) => row + 100 * i),
      };
    }),
  ),
);

const only = ([first, ...others]: ReturnType<typeof renameAdapter>): Adapter => {
  if (first === undefined || others.length > 0) throw new Error("not one adapter");
  return first.adapter;
};

/** Computes the changes of all modules, as lists of rows. */
async function changesOf({
  checkpoint,
  modules,
}: Adapter): Promise<Map<string, readonly (readonly number[])[]>> {
  const changes = new Map<string, readonly (readonly number[])[]>();
  const numbersOf = async (key: string) => {
    const { data, dtype } = await checkpoint.read(key);
    return [...toFloat64(data, dtype)];
  };
  for (const [name, { a, b, rank, scale }] of modules) {
    const [down, up] = [await numbersOf(a), await numbersOf(b)];
    const columns = down.length / rank;
    const rows = Array.from({ length: up.length / rank }, (_, i) =>
      Array.from({ length: columns }, (_, j) => {
        const products = Array.from(
          { length: rank },
          (_, k) => at(up, i * rank + k) * at(down, k * columns + j),
        );
        return scale * products.reduce((sum, x) => sum + x, 0);
      }),
    );
    changes.set(name, rows);
  }
  return changes;
}

async function valuesOf(checkpoint: Checkpoint): Promise<Map<string, readonly number[]>> {
  const values = new Map<string, readonly number[]>();
  for (const name of [...checkpoint.tensors.keys()].sort()) {
    const { data, dtype } = await checkpoint.read(name);
    values.set(name, [...toFloat64(data, dtype)]);
  }
  return values;
}

const open = (modules: Readonly<Record<string, readonly [down: Tensor, up: Tensor]>>) =>
  openAdapterFile(
    createCheckpoint(
      Object.fromEntries(
        Object.entries(modules).flatMap(([name, [down, up]]) => [
          [`${name}.lora_A.weight`, down],
          [`${name}.lora_B.weight`, up],
        ]),
      ),
    ),
  );

const BLOCK = "transformer.single_transformer_blocks.0";

describe("an adapter of Flux", () => {
  test("has the modules in diffusers that diffusers' converter makes", async () => {
    const renamed = only(renameAdapter(await openAdapterFile(FILE), "diffusers"));
    const changes = await changesOf(renamed);
    expect([...changes.keys()].sort()).toEqual(
      Object.keys(kohya.products)
        .map((name) => `transformer.${name}`)
        .sort(),
    );
    for (const [name, runs] of Object.entries(kohya.products)) {
      const expected = runs.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i));
      const rows = entry(changes, `transformer.${name}`, "module");
      expect(
        rows.map((row) => row[0]),
        name,
      ).toEqual(expected);
    }
  });

  test("comes back to the same tensors if its modules have one factor, which the same bits show", async () => {
    const renamed = only(renameAdapter(await openAdapterFile(FILE), "diffusers"));
    const again = await openAdapterFile(createCheckpoint(await tensorsOf(renamed)));
    const back = only(renameAdapter(await shareFactors(again), "kohya"));
    const values = await valuesOf(back.checkpoint);
    for (const name of [...values.keys()]) if (name.endsWith(".alpha")) values.delete(name);
    expect(values).toEqual(await valuesOf(FILE));
  });

  test("has the same changes if its modules have factors of their own, and zeros where it has none", async () => {
    const number = fc.integer({ min: -8, max: 8 });
    const numbers = fc.array(number, { minLength: 64, maxLength: 64 });
    await fc.assert(
      fc.asyncProperty(numbers, fc.uniqueArray(fc.nat(2), { minLength: 1 }), async (values, places) => {
        const value = (i: number) => at(values, i % values.length);
        const names = places.map((i) => `${BLOCK}.attn.to_${"qkv"[i]}`);
        const modules = [...names, `${BLOCK}.proj_mlp`].map((name, i) => {
          const rank = 1 + (i % 2);
          const down = tensor([rank, 3], (j) => value(i + 7 * j));
          return [
            name,
            [down, tensor([name.endsWith("mlp") ? 5 : 3, rank], (j) => value(3 * i + j))],
          ] as const;
        });
        const adapter = await open(Object.fromEntries(modules));
        const fused = only(renameAdapter(adapter, "ComfyUI"));
        expect([...fused.modules.keys()]).toEqual(["diffusion_model.single_blocks.0.linear1"]);
        const divided = await changesOf(only(renameAdapter(fused, "diffusers")));
        const before = await changesOf(adapter);
        const zeros = Array.from({ length: 3 }, () => [0, 0, 0]);
        for (const [name, rows] of divided) expect(rows).toEqual(before.get(name) ?? zeros);
        expect(divided.size).toBe(4);
      }),
      { numRuns: 20 },
    );
  });

  test("needs the network if the size of a part is not known, or the kind of the transformer", async () => {
    const [down, up] = [tensor([1, 3], () => 1), tensor([3, 1], () => 1)];
    const part = await open({ [`${BLOCK}.attn.to_q`]: [down, up] });
    expect(() => renameAdapter(part, "kohya")).toThrow(/does not change ".*proj_mlp": name .* by --base/);
    for (const [name, rows] of [
      ["single_transformer_blocks.0.proj_mlp.weight", 5],
      ["model.diffusion_model.single_blocks.0.linear1.weight", 14],
    ] as const) {
      const query = `${BLOCK.replace("transformer.", "")}.attn.to_q.weight`;
      const base = createCheckpoint({ [name]: tensor([rows, 3], () => 0), [query]: tensor([3, 3], () => 0) });
      const fused = only(renameAdapter(part, "kohya", { base }));
      const [b] = [...fused.modules.values()].map((module) => module.b);
      expect(fused.checkpoint.tensors.get(b ?? "")?.shape).toEqual([14, 1]);
    }
    const double = await open({ "transformer.transformer_blocks.0.attn.to_q": [down, up] });
    const kohyaNames = only(renameAdapter(double, "kohya")).modules.keys();
    expect([...kohyaNames]).toEqual(["lora_transformer_transformer_blocks_0_attn_to_q"]);
    const sd3 = createCheckpoint({ "joint_blocks.0.x_block.attn.qkv.weight": tensor([9, 3], () => 0) });
    const known = only(renameAdapter(double, "kohya", { base: sd3 })).modules.keys();
    expect([...known]).toEqual(["lora_unet_joint_blocks_0_x_block_attn_qkv"]);
    const odd = await open({
      "diffusion_model.double_blocks.0.img_attn.qkv": [down, tensor([4, 1], () => 1)],
    });
    expect(() => renameAdapter(odd, "diffusers")).toThrow(/its rows must be those of .*to_q.*: it has 4/);
  });
});

describe("an adapter of Stable Diffusion 3", () => {
  test("has exchanged halves in the last block, which the adapter or the network tells", async () => {
    const name = (block: number) => `diffusion_model.joint_blocks.${block}.context_block.adaLN_modulation.1`;
    const factors = [tensor([1, 2], () => 1), tensor([4, 1], (i) => i)] as const;
    const adapter = await open({ [name(0)]: factors, [name(1)]: factors });
    const firstColumns = async (renamed: Adapter) =>
      [...(await changesOf(renamed)).values()].map((rows) => rows.map(([x]) => x));
    expect(() => renameAdapter(adapter, "diffusers")).toThrow(/whether block 1 is the last: .*--base/);
    const base = createCheckpoint({
      "joint_blocks.1.context_block.adaLN_modulation.1.weight": tensor([4, 2], () => 0),
    });
    const turned = only(renameAdapter(adapter, "diffusers", { base }));
    expect(await firstColumns(turned)).toEqual([
      [0, 1, 2, 3],
      [2, 3, 0, 1],
    ]);
    expect(await firstColumns(only(renameAdapter(turned, "ComfyUI", { base })))).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ]);
    const withText = await open({
      "diffusion_model.joint_blocks.0.context_block.mlp.fc1": factors,
      [name(1)]: factors,
    });
    expect(await firstColumns(only(renameAdapter(withText, "diffusers")))).toEqual([
      [0, 1, 2, 3],
      [2, 3, 0, 1],
    ]);
  });
});

describe("applyAdapter()", () => {
  test("changes each network of a single file by the modules that are its own", async () => {
    const network = fileOf(entry(LAYOUT_CASES, "Stable Diffusion XL", "case"));
    const [down, up] = [tensor([1, 4], () => 1), tensor([4, 1], (i) => i + 1)];
    const layer = "text_model_encoder_layers_1_self_attn_k_proj";
    const adapter = await openAdapterFile(
      createCheckpoint(
        Object.assign(
          {},
          ...[`lora_te1_${layer}`, `lora_te2_${layer}`, "lora_unet_time_embedding_linear_2"].map((name) => ({
            [`${name}.lora_down.weight`]: name.includes("unet") ? tensor([1, 8], () => 1) : down,
            [`${name}.lora_up.weight`]: name.includes("unet") ? tensor([8, 1], (i) => i + 1) : up,
            [`${name}.alpha`]: tensor([], () => 2),
          })),
        ),
      ),
    );
    const applied = applyAdapter(network, adapter, { weight: 0.5 });
    expect([...applied.tensors]).toEqual([...network.tensors]);
    const changed: string[] = [];
    const [before, after] = [await valuesOf(network), await valuesOf(applied)];
    const rowsOf = (name: string, columns: number) => {
      const changes = entry(after, name, "tensor").map((x, i) => x - at(entry(before, name, "tensor"), i));
      return changes.filter((_, i) => i % columns === 0);
    };
    for (const [name, values] of after)
      if (values.some((x, i) => x !== before.get(name)?.[i])) changed.push(name);
    const layers = "text_model.encoder.layers.1.self_attn.k_proj.weight";
    const fused = "conditioner.embedders.1.model.transformer.resblocks.1.attn.in_proj_weight";
    const first = `conditioner.embedders.0.transformer.${layers}`;
    const time = "model.diffusion_model.time_embed.2.weight";
    expect(changed.sort()).toEqual([first, fused, time].sort());
    expect(rowsOf(first, 4)).toEqual([1, 2, 3, 4]);
    expect(rowsOf(fused, 4)).toEqual([0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0]);
    expect(rowsOf(time, 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});

/** Reads all tensors of an adapter. */
async function tensorsOf({ checkpoint }: Adapter): Promise<Record<string, Tensor>> {
  const tensors = [...checkpoint.tensors.keys()].map(
    async (name) => [name, await checkpoint.read(name)] as const,
  );
  return Object.fromEntries(await Promise.all(tensors));
}

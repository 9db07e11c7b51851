import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Checkpoint,
  createCheckpoint,
  createTensor,
  openCheckpoint,
  saveCheckpoint,
  toFloat64,
} from "@isthmus/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Adapter } from "./adapter.ts";
import { applyAdapter } from "./apply-adapter.ts";
import { mergeAdapters } from "./merge-adapters.ts";
import { isAdapter, openAdapter } from "./open-adapter.ts";
import { saveAdapter } from "./save-adapter.ts";

const golden = (name: string) =>
  fileURLToPath(new URL(`../../test/golden/adapters/files/${name}.safetensors`, import.meta.url));
const opened: { close(): Promise<void> }[] = [];
const keep = <T extends { close(): Promise<void> }>(file: T): T => {
  opened.push(file);
  return file;
};
const adapters = (...names: readonly string[]): Promise<Adapter[]> =>
  Promise.all(names.map(async (name) => keep(await openAdapter(golden(name)))));
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "adapter-file-"));
});
afterAll(async () => {
  await Promise.all(opened.map((file) => file.close()));
  await rm(folder, { recursive: true });
});

/** Numbers of a tensor in f64. */
async function numbers(checkpoint: Checkpoint, name: string): Promise<Float64Array> {
  const { data, dtype } = await checkpoint.read(name);
  return toFloat64(data, dtype);
}

/** The product of each module, times its scale, as NumPy takes it of a file: summed in f64. */
async function productsOf({ checkpoint, modules }: Adapter): Promise<Map<string, number[]>> {
  const products = new Map<string, number[]>();
  for (const { name, a, b, rank, scale } of modules.values()) {
    const [up, down] = [await numbers(checkpoint, b), await numbers(checkpoint, a)];
    const [rows, columns] = [up.length / rank, down.length / rank];
    const product = Array.from({ length: rows * columns }, (_, i) => {
      let sum = 0;
      for (let k = 0; k < rank; k++)
        sum +=
          (up[Math.floor(i / columns) * rank + k] ?? Number.NaN) *
          (down[k * columns + (i % columns)] ?? Number.NaN);
      return scale * sum;
    });
    products.set(name, product);
  }
  return products;
}

async function expectProducts(adapter: Adapter, name: string): Promise<void> {
  const expected = keep(await openCheckpoint(golden(name)));
  const products = await productsOf(adapter);
  expect([...products.keys()].sort()).toEqual([...expected.tensors.keys()].sort());
  for (const [module, product] of products) {
    const wanted = await numbers(expected, module);
    const worst = product.reduce((most, x, i) => Math.max(most, Math.abs(x - (wanted[i] ?? Number.NaN))), 0);
    // Factors of the result are f32, and the products are up to about 10.
    expect(worst, module).toBeLessThan(4e-6);
  }
}

const weights = [0.7, -0.4];

describe("adapters in one file", () => {
  test.each(["kohya", "diffusers"])(
    "of %s are merged as products, by the sum and by the nearest of a rank",
    async (names) => {
      const both = await adapters(`${names}-a`, `${names}-b`);
      await expectProducts(mergeAdapters(both, { combination: "cat", weights }), `${names}-sum`);
      await expectProducts(mergeAdapters(both, { combination: "svd", weights, rank: 4 }), `${names}-best`);
    },
  );

  test("are saved under their names with scale 1, and opened again", async () => {
    const merged = mergeAdapters(await adapters("kohya-a", "kohya-b"), { combination: "cat", weights });
    await saveAdapter(merged, join(folder, "sum"));
    const saved = keep(await openAdapter(join(folder, "sum")));
    await expectProducts(saved, "kohya-sum");
    const { checkpoint } = saved;
    expect(checkpoint.metadata).toEqual({ ss_base_model_version: "sd_v1", format: "pt" });
    expect(checkpoint.tensors.get("lora_unet_mid_block_conv.lora_down.weight")?.shape).toEqual([7, 4, 3, 3]);
    expect(checkpoint.tensors.get("lora_unet_mid_block_conv.lora_up.weight")?.shape).toEqual([7, 7, 1, 1]);
    expect([...(await numbers(checkpoint, "lora_unet_mid_block_conv.alpha"))]).toEqual([7]);
    expect([...(await numbers(checkpoint, "lora_te_encoder_layers_0_fc1.alpha"))]).toEqual([4]);
  });

  test("are applied to a network whose names have dots: up @ down * alpha / rank is added", async () => {
    const [kohya] = await adapters("kohya-a");
    const network = keep(await openCheckpoint(golden("network")));
    const expected = keep(await openCheckpoint(golden("applied")));
    if (kohya === undefined) throw new Error("not opened");
    const applied = applyAdapter(network, kohya);
    for (const name of expected.tensors.keys()) {
      const [ours, theirs] = [await numbers(applied, name), await numbers(expected, name)];
      // The network is f64, and so is what is added.
      expect(Math.max(...ours.map((x, i) => Math.abs(x - (theirs[i] ?? Number.NaN)))), name).toBeLessThan(
        1e-14,
      );
    }
  });

  test("are told from networks and from weights in a folder of PEFT, which is taken in their place", async () => {
    expect(await isAdapter(golden("kohya-a"))).toBe(true);
    expect(await isAdapter(golden("network"))).toBe(false);
    expect(await isAdapter(join(folder, "missing.safetensors"))).toBe(false);
    const plain = fileURLToPath(
      new URL("../../test/golden/adapters/plain/adapter_model.safetensors", import.meta.url),
    );
    const peft = keep(await openAdapter(plain));
    expect(peft).toMatchObject({ naming: "PEFT", config: { rank: expect.any(Number) } });
    await copyFile(plain, join(folder, "adapter_model.safetensors"));
    await expect(openAdapter(join(folder, "adapter_model.safetensors"))).rejects.toThrow(
      /scales of PEFT's adapters stand in adapter_config.json, which must lie beside/,
    );
  });
});

describe("adapters in one file are refused", () => {
  const f32 = (...shape: readonly number[]) =>
    createTensor("f32", shape, new Float32Array(shape.reduce((size, extent) => size * extent, 1)).fill(1));
  const pair = { "q.lora_up.weight": f32(3, 2), "q.lora_down.weight": f32(2, 3) };
  const write = async (tensors: Parameters<typeof createCheckpoint>[0]) => {
    const path = join(folder, "refused.safetensors");
    await saveCheckpoint(createCheckpoint(tensors), path, { overwrite: true, allowNonFinite: true });
    return path;
  };
  const nan = createTensor("f32", [], Float32Array.of(Number.NaN));

  test.each([
    ["of the first OFT of LyCORIS", { "q.oft_diag": f32(2, 2, 2) }, /"q.oft_diag" belongs to OFT/],
    ["of LoKr without a side", { "q.lokr_w1": f32(2, 2) }, /all factors of its change.* it lacks lokr_w2_a/],
    [
      "of LoHa of two shapes",
      {
        ...{ "q.hada_w1_a": f32(2, 1), "q.hada_w1_b": f32(1, 3) },
        ...{ "q.hada_w2_a": f32(2, 1), "q.hada_w2_b": f32(1, 4) },
      },
      /both products of "q" must have one shape: they are 2 x 3 and 2 x 4/,
    ],
    ["of LoHa of no rank", { "q.hada_w1_a": f32(2, 0), "q.hada_w1_b": f32(0, 2) }, /hada_w1_a is \[2,0\]/],
    ["with lengths of columns", { ...pair, "q.dora_scale": f32(1, 3) }, /must be the lengths of 3 rows/],
    ["with too many lengths", { ...pair, "q.dora_scale": f32(4, 1) }, /must be the lengths of 3 rows/],
    [
      "with a core of another rank",
      { ...pair, "q.lora_mid.weight": f32(4, 4, 3, 3) },
      /must have one rank .* lora_mid.weight \[4,4,3,3\]/,
    ],
    [
      "with one factor twice",
      { ...pair, "q.lora_A.weight": f32(2, 3) },
      /"q.lora_.+.weight" and "q.lora_.+.weight" are the same one/,
    ],
    [
      "that lack a factor",
      { "q.lora_up.weight": f32(3, 2), "q.alpha": f32() },
      /"q" must have both .* lacks lora_down/,
    ],
    ["whose factors do not fit", { ...pair, "q.lora_up.weight": f32(3, 4) }, /they are \[2,3\] and \[3,4\]/],
    ["whose alpha is NaN", { ...pair, "q.alpha": nan }, /"q.alpha" must be one finite number: it is NaN/],
    ["whose alpha is a vector", { ...pair, "q.alpha": f32(3) }, /must be one finite number: it is 3 numbers/],
  ])("%s", async (_, tensors, message) => {
    const path = await write(tensors);
    expect(await isAdapter(path)).toBe(true);
    await expect(openAdapter(path)).rejects.toThrow(message);
  });

  test("with others whose names are of another program, or that share no module", async () => {
    const [kohya, diffusers] = await adapters("kohya-a", "diffusers-a");
    const other = keep(await openAdapter(await write(pair)));
    const merge = (...list: readonly (Adapter | undefined)[]) =>
      mergeAdapters(
        list.flatMap((adapter) => adapter ?? []),
        { combination: "cat" },
      );
    expect(() => merge(kohya, diffusers)).toThrow(/they have the names of kohya and of diffusers/);
    expect(() => merge(kohya, other)).toThrow(/at least one module must be in both/);
  });

  test.each(["linear", "ties"] as const)("by %s, which blends factors one by one", async (combination) => {
    const both = await adapters("kohya-a", "kohya-b");
    expect(() => mergeAdapters(both, { combination })).toThrow(/choose cat, which is exact, or (ties_)?svd/);
  });
});

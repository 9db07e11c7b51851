import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createCheckpoint, createRandom, createTensor, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { expect, test } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { runMergeChild } from "../../test/run-merge-child.ts";
import { openMergeProducts } from "./merge-products.ts";
import { readProvenance } from "./provenance.ts";

const MODULE = new URL("../../test/engine-products.mjs", import.meta.url).href;

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

async function writeNetwork(seed: number): Promise<string> {
  const { normal } = createRandom(seed, "network");
  const matrix = () => createTensor("f32", [70, 220], Float32Array.from({ length: 70 * 220 }, normal));
  const path = join(folder, `${seed}.safetensors`);
  await saveCheckpoint(createCheckpoint({ a: matrix(), b: matrix(), c: matrix() }), path);
  return path;
}

test("a merge of matrices has the same bytes by one thread of two and by two threads of one", async () => {
  const base = await writeNetwork(1);
  const networks = [await writeNetwork(2), await writeNetwork(3)];
  const cases = [
    { path: join(folder, "one.safetensors"), threads: 1, products: MODULE },
    { path: join(folder, "two.safetensors"), threads: 2, products: MODULE },
    { path: join(folder, "plain.safetensors"), threads: 2 },
  ] as const;
  const replies = await runMergeChild(
    ...cases.map(({ threads, ...request }) => ({
      ...{ merge: { networks, base, method: "tsv_m" }, options: { threads } },
      ...request,
    })),
  );
  expect(replies).toMatchObject(cases.map(({ threads }) => ({ result: { threads } })));
  const [one, two, plain] = cases.map(({ path }) => path) as [string, string, string];
  expect(readFileSync(two).equals(readFileSync(one))).toBe(true);
  await using merged = await openCheckpoint(two);
  expect(readProvenance(merged).products).toBe("onnxruntime");
  await using own = await openCheckpoint(plain);
  expect(readProvenance(own).products).toBe("wasm");
  const [a, b] = [await merged.read("a"), await own.read("a")];
  const errors = Array.from(a.data as Float32Array, (x, i) => Math.abs(x - Number(b.data[i])));
  expect(Math.max(...errors)).toBeLessThan(1e-4);
});

test("a module without products is refused", async () => {
  const path = join(folder, "nothing.mjs");
  writeFileSync(path, "export const products = 1;");
  const { href } = pathToFileURL(path);
  await expect(openMergeProducts(href, 1)).rejects.toThrow(
    `Cannot multiply matrices by "${href}" as it must export a function openProducts: it exports none`,
  );
});

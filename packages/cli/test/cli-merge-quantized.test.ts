import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createCheckpoint,
  createTensor,
  DTYPES,
  type DType,
  openCheckpoint,
  saveCheckpoint,
  sizeOf,
  type Tensor,
  toFloat32,
} from "@isthmus/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../../../test/helpers/run-cli.ts";

/** Weights that bitsandbytes packed, made by tools/golden/quantized-weights.py. */
const golden = JSON.parse(
  readFileSync(
    fileURLToPath(new URL("../../core/test-fixtures/formats/quantized.json.golden", import.meta.url)),
    "utf8",
  ),
) as Readonly<Record<string, { readonly tensors: Readonly<Record<string, Packed>>; readonly read: Packed }>>;

interface Packed {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: string;
}

const decode = ({ dtype, shape, data }: Packed): Tensor => {
  const bytes = new Uint8Array(Buffer.from(data, "base64"));
  return createTensor(dtype, shape, new DTYPES[dtype].array(bytes.buffer, 0, sizeOf(shape)));
};

const form = golden["nf4 of f16, double"];
let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "isthmus-quantized-"));
});
afterAll(() => rmSync(root, { recursive: true }));

test("isthmus merge base+lora dequantises the base, says so, and writes a model that is not quantised", async () => {
  const [base, lora, out] = [join(root, "base"), join(root, "lora"), join(root, "out")];
  mkdirSync(base);
  mkdirSync(lora);
  const parts = Object.entries(form?.tensors ?? {}).map(([name, part]) => [name, decode(part)] as const);
  await saveCheckpoint(createCheckpoint(Object.fromEntries(parts)), join(base, "model.safetensors"));
  const config = { model_type: "llama", quantization_config: { quant_method: "bitsandbytes" } };
  writeFileSync(join(base, "config.json"), JSON.stringify(config));
  const [a, b] = [Float32Array.from({ length: 64 }, (_, i) => i / 64), Float32Array.from([1, 2, 3, 4, 5, 6])];
  const factors = {
    "base_model.model.x.lora_A.weight": createTensor("f32", [1, 64], a),
    "base_model.model.x.lora_B.weight": createTensor("f32", [6, 1], b),
  };
  await saveCheckpoint(createCheckpoint(factors), join(lora, "adapter_model.safetensors"));
  writeFileSync(
    join(lora, "adapter_config.json"),
    JSON.stringify({ peft_type: "LORA", r: 1, lora_alpha: 1, target_modules: ["x"] }),
  );
  const { code, stderr } = await runCli(["merge", `${base}+${lora}`, "-o", out, "--dtype", "f32"]);
  expect(stderr).toContain(
    `"${base}" is dequantised: 1 of 1 tensors (nf4, blocks of 64, scales of 8 bits) are read as f16, and the result is not quantised.`,
  );
  expect(code).toBe(0);
  const converted = await runCli(["convert", base, join(root, "numbers.safetensors")]);
  expect(converted.stderr).toContain(`"${base}" is dequantised: 1 of 1 tensors`);
  const extracted = await runCli(["extract", base, out, "--dry-run"]);
  expect(extracted.stderr).toContain(`"${base}" is dequantised: 1 of 1 tensors`);
  expect(JSON.parse(readFileSync(join(out, "config.json"), "utf8"))).not.toHaveProperty(
    "quantization_config",
  );
  await using merged = await openCheckpoint(out);
  const { data } = await merged.read("x.weight");
  const { data: read, dtype } = decode(form?.read ?? { dtype: "f16", shape: [0], data: "" });
  const numbers = toFloat32(read, dtype);
  for (const [i, value] of (data as Float32Array).entries())
    expect(value).toBeCloseTo((numbers[i] ?? 0) + (a[i % 64] ?? 0) * (b[Math.floor(i / 64)] ?? 0), 2);
  const { stdout } = await runCli(["inspect", `${base}+${lora}`, out]);
  expect(stdout).toContain("1 tensors compared");
});

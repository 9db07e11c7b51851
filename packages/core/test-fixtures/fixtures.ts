// Fixtures for tests: files written by PyTorch and the reference safetensors, and what is in them.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Checkpoint } from "../src/checkpoint/checkpoint.ts";
import { openCheckpoint } from "../src/open-checkpoint.ts";
import type { DType } from "../src/tensor/dtype.ts";
import { viewBytes } from "../src/tensor/tensor.ts";

/** What one fixture holds. */
export interface ExpectedFile {
  readonly tensors: Readonly<
    Record<string, { readonly dtype: DType; readonly shape: readonly number[]; readonly bytes: string }>
  >;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Path of a fixture. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** What the generator says is in each file. */
export const EXPECTED: Readonly<Record<string, ExpectedFile>> = JSON.parse(
  readFileSync(fixture("expected.json.golden"), "utf8"),
).files;

/** All tensors of a checkpoint, as the generator describes them. */
export async function describeTensors(checkpoint: Checkpoint): Promise<ExpectedFile["tensors"]> {
  const described: Record<string, ExpectedFile["tensors"][string]> = {};
  for (const name of checkpoint.tensors.keys()) {
    const { dtype, shape, data } = await checkpoint.read(name);
    described[name] = { dtype, shape: [...shape], bytes: Buffer.from(viewBytes(data)).toString("hex") };
  }
  return described;
}

/** Opens a file, and describes all of its tensors. */
export async function reopen(path: string): Promise<ExpectedFile["tensors"]> {
  const checkpoint = await openCheckpoint(path);
  try {
    return await describeTensors(checkpoint);
  } finally {
    await checkpoint.close();
  }
}

import { entry, hashTensor } from "@isthmus/core";
import type { Adapter, AdapterModule } from "./adapter.ts";

/**
 * Finds modules whose factors `A` are the same, bit for bit, and lets them refer to one tensor, so that
 * `renameAdapter` joins them without larger ranks: parts of a fused module that was divided have the same
 * `A`. Reads all `A`.
 */
export async function shareFactors(adapter: Adapter): Promise<Adapter> {
  const { checkpoint } = adapter;
  const first = new Map<string, string>();
  const modules = new Map<string, AdapterModule>();
  for (const [name, module] of adapter.modules) {
    const { dtype, shape } = entry(checkpoint.tensors, module.a, "tensor");
    const key = `${dtype} ${shape.join()} ${await hashTensor(checkpoint, module.a)}`;
    const a = first.get(key) ?? module.a;
    first.set(key, a);
    modules.set(name, { ...module, a });
  }
  return { ...adapter, modules };
}

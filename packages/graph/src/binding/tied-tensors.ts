import { type Checkpoint, entry, sameShape, toFloat32 } from "@isthmus/core";
import { isConstant, sameValues } from "./same-values.ts";
import type { TensorPool } from "./tensor-pool.ts";

/**
 * Finds the used tensor that has the shape and the values of another tensor; undefined if there is no such
 * tensor, or all its numbers are equal, as in a new norm.
 */
export async function findTwin(pool: TensorPool, name: string): Promise<string | undefined> {
  const { dtype, shape } = entry(pool.checkpoint.tensors, name, "tensor");
  const values = await pool.read(name);
  if (isConstant(values)) return undefined;
  for (const other of pool.ofSize(values.length)) {
    if (other === name || !pool.isTaken(other) || !sameShape(pool.shapeOf(other), shape)) continue;
    if (await pool.matches(other, { values, shape, dtype }, [])) return other;
  }
  return undefined;
}

/**
 * Finds the used tensor to which another one is tied, so that both are equal in all networks. Exporters write
 * a tied tensor under one name, but copies of it, such as transposes, under other names.
 */
export async function findTiedTo(
  pool: TensorPool,
  name: string,
  networks: () => readonly Checkpoint[],
): Promise<string | undefined> {
  const twin = await findTwin(pool, name);
  return twin !== undefined && (await areTied(networks(), name, [twin])) ? twin : undefined;
}

/** Checks whether tensors are equal in all networks. */
export async function areTied(
  networks: readonly Checkpoint[],
  name: string,
  others: readonly string[],
): Promise<boolean> {
  for (const network of networks) {
    // A file may contain tied tensors only once.
    const present = others.filter((other) => network.tensors.has(name) && network.tensors.has(other));
    for (const other of present) {
      if (!sameValues(await readValues(network, name), await readValues(network, other))) return false;
    }
  }
  return true;
}

async function readValues(network: Checkpoint, name: string): Promise<Float32Array> {
  const { data, dtype } = await network.read(name);
  return toFloat32(data, dtype);
}

import { at, type Checkpoint, createCheckpoint, createTensor, type Tensor, toFloat64 } from "@isthmus/core";
import type { SentUpdate } from "./send-updates.ts";

/**
 * Returns the server's control variate after a round: it moves by the sum of the clients' changes, divided by
 * the number of all clients (Karimireddy et al., SCAFFOLD, 2020, algorithm 1, line 17). Changes are summed in
 * the order of the clients' names.
 * @param variate - control variate before the round; undefined for zeros
 */
export async function averageVariates(
  variate: Checkpoint | undefined,
  sent: readonly SentUpdate[],
  clients: number,
): Promise<Checkpoint | undefined> {
  const changes = sent.flatMap((update) =>
    update.refused === undefined && update.variateChange !== undefined ? [update.variateChange] : [],
  );
  if (changes.length === 0) return variate;
  const tensors = new Map<string, Tensor>();
  for (const [name, { shape }] of at(changes, 0).tensors) {
    const read = async (from: Checkpoint) => {
      const { data, dtype } = await from.read(name);
      return toFloat64(data, dtype);
    };
    const sum = await read(at(changes, 0));
    for (const change of changes.slice(1)) {
      const values = await read(change);
      for (let i = 0; i < sum.length; i++) sum[i] = at(sum, i) + at(values, i);
    }
    const before = variate === undefined ? new Float64Array(sum.length) : await read(variate);
    const after = Float32Array.from(sum, (value, i) => at(before, i) + value / clients);
    tensors.set(name, createTensor("f32", shape, after));
  }
  return createCheckpoint(tensors);
}

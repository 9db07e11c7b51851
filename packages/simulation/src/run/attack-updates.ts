import {
  allocateData,
  at,
  type Checkpoint,
  createCheckpoint,
  createRandom,
  DTYPES,
  fromFloat64Into,
  sizeOf,
  type Tensor,
  type TensorData,
  toFloat64,
} from "@isthmus/core";
import { resolveParameters } from "@isthmus/merging";
import type { OpenFederation } from "./open-federation.ts";

/**
 * Number of elements of a tensor that are attacked at once: so many numbers of each client are held in
 * memory.
 */
const RANGE = 2 ** 16;

/**
 * Makes the network that all attackers send: the global network, moved by the displacement that the attack
 * makes of the honest clients' displacements. Tensors that are not shared, and integers, stay as in the
 * global network.
 * @param honest - networks of the honest clients after their work, in the order of names; at least one
 */
export async function attackUpdates(
  { attack, treatments, description }: Pick<OpenFederation, "attack" | "treatments" | "description">,
  network: Checkpoint,
  honest: readonly Checkpoint[],
  round: number,
): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const [name, info] of network.tensors) {
    if (attack?.of.kind !== "update" || treatments.get(name) === "keep" || !DTYPES[info.dtype].float) {
      tensors.set(name, await network.read(name));
      continue;
    }
    const { of, parameters, attackers } = attack;
    const resolved = resolveParameters(of.name, of.parameters, parameters, {
      tensor: name,
      networks: 1,
      attempt: `attack by ${of.name}`,
    });
    const random = createRandom(description.seed, `${of.name} on ${name} in round ${round}`);
    const size = sizeOf(info.shape);
    const data = allocateData(info.dtype, size);
    for (let begin = 0; begin < size; begin += RANGE) {
      const end = Math.min(begin + RANGE, size);
      const read = async (from: Checkpoint) => toFloat64(await from.readRange(name, begin, end), info.dtype);
      const global = await read(network);
      const displacements = await Promise.all(
        honest.map(async (client) => (await read(client)).map((value, i) => value - at(global, i))),
      );
      const sent = new Float64Array(end - begin);
      of.attackInto({ honest: displacements, attackers, random }, resolved, sent);
      fromFloat64Into(
        sent.map((change, i) => change + at(global, i)),
        info.dtype,
        data.subarray(begin, end) as TensorData,
      );
    }
    tensors.set(name, { ...info, data } as Tensor);
  }
  return createCheckpoint(tensors, {}, "attack");
}

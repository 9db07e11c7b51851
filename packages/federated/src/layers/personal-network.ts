import { type Checkpoint, composeCheckpoint } from "@isthmus/core";
import type { Treatment } from "./treatment.ts";
import { resolveTreatments } from "./treatments.ts";

/**
 * Returns the network of one client, lazily: the layers that it keeps are its own, and the others are of the
 * global network.
 * @param network - the global network
 * @param client - the client's network, of the same names and shapes
 * @param treatments - treatment of each tensor, as `treatLayers` returns it
 * @throws MismatchError if the client's network lacks a tensor that it keeps
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { personalNetwork } from "@isthmus/federated";
 *
 * const tensor = (x: number) => createTensor("f32", [1], Float32Array.of(x));
 * const global = createCheckpoint({ body: tensor(1), head: tensor(1) });
 * const client = createCheckpoint({ body: tensor(2), head: tensor(2) });
 * const personal = personalNetwork(global, client, new Map([["head", "keep"]]));
 * assert.deepEqual((await personal.read("head")).data, Float32Array.of(2));
 * assert.deepEqual((await personal.read("body")).data, Float32Array.of(1));
 * ```
 */
export function personalNetwork(
  network: Checkpoint,
  client: Checkpoint,
  treatments: ReadonlyMap<string, Treatment>,
): Checkpoint {
  const resolved = resolveTreatments(network, treatments);
  const places = [...network.tensors.keys()].map(
    (name) => [name, { checkpoint: resolved.get(name) === "keep" ? client : network, name }] as const,
  );
  const source = `${network.source} with the kept layers of ${client.source}`;
  return composeCheckpoint(new Map(places), { source, metadata: network.metadata });
}

import { type Checkpoint, defineCheckpoint, MismatchError } from "@isthmus/core";
import { type DiffusersLayout, toDiffusersLayout } from "../layouts/to-diffusers.ts";
import { toOriginalLayout } from "../layouts/to-original.ts";
import type { Adapter } from "./adapter.ts";
import { isPlain, renameAdapter } from "./rename-adapter.ts";

/**
 * Applies an adapter to a single file of a diffusion model under its original names, each part of the adapter
 * to its network: the text encoders of one file have modules of the same names, and fused weights are changed
 * by several modules.
 * @param apply - function that applies a part of the adapter to a network in the layout of diffusers
 * @returns network under its own names; undefined if it is no such file, or the adapter does not only add
 *   low-rank changes
 * @throws MismatchError if the file has no network that the adapter changes
 */
export function applyInLayout(
  base: Checkpoint,
  adapter: Adapter,
  apply: (network: Checkpoint, part: Adapter) => Checkpoint,
): Checkpoint | undefined {
  if (!isPlain(adapter)) return undefined;
  const layout = layoutOf(base);
  const [main] = layout?.parts ?? [];
  if (layout === undefined || main === undefined) return undefined;
  const networks = new Map(layout.parts.map(({ folder, checkpoint }) => [folder, checkpoint]));
  for (const { part = main.folder, adapter: renamed } of renameAdapter(adapter, "PEFT", { base })) {
    const network = networks.get(part);
    if (network === undefined) {
      throw new MismatchError(
        `Cannot apply adapter "${adapter.source}" to "${base.source}" as it changes ${part}, which must be there: the file has ${[...networks.keys()].join(", ")}`,
        { parameters: [part] },
      );
    }
    networks.set(part, apply(network, renamed));
  }
  const prefixes = new Map(layout.parts.map(({ folder, prefix }) => [folder, prefix]));
  const { checkpoint } = toOriginalLayout(networks, { prefixes });
  return defineCheckpoint({
    source: `${base.source} with ${adapter.source}`,
    tensors: base.tensors,
    metadata: base.metadata,
    inputs: [base, adapter.checkpoint],
    readInto: (name, begin, out) =>
      (checkpoint.tensors.has(name) ? checkpoint : base).readRangeInto(name, begin, out),
  });
}

function layoutOf(base: Checkpoint): DiffusersLayout | undefined {
  try {
    return toDiffusersLayout(base);
  } catch (error) {
    // A network with other or fewer tensors may be changed under its own names.
    if (error instanceof MismatchError) return undefined;
    throw error;
  }
}

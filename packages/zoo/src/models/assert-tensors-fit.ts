import { entry, formatShape, MismatchError, sameShape, type TensorInfo } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";

/** How many names of a long list a message shows; the others are counted. */
const SHOWN = 5;

/**
 * Checks that a checkpoint holds exactly the weights of a network, as a tensor that the network does not know
 * would not be permuted with the others.
 * @param idle - names of tensors that the network does not need
 * @throws MismatchError if weights are missing or have another shape, or a tensor belongs to no weight
 */
export function assertTensorsFit(
  graph: Graph,
  tensors: ReadonlyMap<string, TensorInfo>,
  { source, idle }: { readonly source: string; readonly idle: RegExp },
): void {
  const missing = [...graph.weights.keys()].filter((name) => !tensors.has(name));
  if (missing.length > 0) {
    throw misfit(
      source,
      `the checkpoint must hold all weights of its network: it lacks ${list(missing)}`,
      missing,
    );
  }
  for (const [name, { shape }] of graph.weights) {
    const stored = entry(tensors, name, "tensor");
    if (sameShape(stored.shape, shape)) continue;
    const shapes = `it makes "${name}" ${formatShape(shape)}, the checkpoint holds ${formatShape(stored.shape)}`;
    throw misfit(source, `shapes must be equal: ${shapes}`, [name]);
  }
  const foreign = [...tensors.keys()].filter((name) => !graph.weights.has(name) && !idle.test(name));
  if (foreign.length > 0) {
    const rule = "the network must know all tensors of the checkpoint";
    throw misfit(
      source,
      `${rule}: it knows no ${list(foreign)}; check the config, or export an ONNX graph`,
      foreign,
    );
  }
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map((name) => `"${name}"`);
  if (names.length > SHOWN) shown.push(`${names.length - SHOWN} more`);
  return shown.join(", ");
}

function misfit(source: string, why: string, parameters: readonly string[]): MismatchError {
  return new MismatchError(`Cannot use "${source}" as ${why}`, { parameters });
}

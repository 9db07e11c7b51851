import { formatShape, MismatchError, sameShape, type TensorInfo } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";

/** Names shown of a long list; the rest is counted. */
const SHOWN = 5;

/**
 * Checks that a checkpoint holds exactly the weights of a network: one that the network does not know would not be permuted with
 * the others.
 * @throws MismatchError if some are missing, have another shape, or are not of the network
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
    const found = tensors.get(name)?.shape ?? [];
    if (sameShape(found, shape)) continue;
    const shapes = `it makes "${name}" ${formatShape(shape)}, the checkpoint holds ${formatShape(found)}`;
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

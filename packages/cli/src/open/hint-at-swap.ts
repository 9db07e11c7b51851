import { isIsthmusError, MismatchError, sameShape } from "@isthmus/core";
import { type NetworkOfGraph, readArchitecture } from "@isthmus/zoo";

/** A network with the file of its architecture. */
type OfGraph = Pick<NetworkOfGraph, "graph" | "checkpoint">;

/**
 * Throws an error again, with a hint if each graph has the weights of the other network.
 * @param option - option that names the graph of A
 */
export async function hintAtSwap(
  error: unknown,
  [a, b]: readonly [OfGraph, OfGraph],
  option: "--graph" | "--graph-a",
): Promise<never> {
  if (!isIsthmusError(error, "MismatchError") || a.graph === undefined || b.graph === undefined) throw error;
  const fits = async (graph: string, { checkpoint }: OfGraph): Promise<boolean> => {
    const { weights } = (await readArchitecture(graph)).graph;
    return [...weights].every(([name, { shape }]) => {
      const stored = checkpoint.tensors.get(name)?.shape;
      return stored !== undefined && sameShape(stored, shape);
    });
  };
  const stands = (await fits(a.graph, a)) && (await fits(b.graph, b));
  if (stands || !(await fits(a.graph, b)) || !(await fits(b.graph, a))) throw error;
  throw new MismatchError(
    `${error.message}; ${option} has the weights of B, and --graph-b those of A: exchange them`,
    { parameters: (error as MismatchError).parameters, cause: error },
  );
}

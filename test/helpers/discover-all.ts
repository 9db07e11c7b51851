import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Graph } from "@isthmus/graph";
import {
  type ContinuousSymmetries,
  discoverContinuous,
  discoverSymmetries,
  type Symmetries,
  type SymmetrySpec,
} from "@isthmus/symmetry";

const engine = createOnnxRuntimeEngine();

/** Permutations of a graph, and all symmetries beyond them. */
interface AllSymmetries extends ContinuousSymmetries {
  readonly permutations: Symmetries;
  readonly spec: SymmetrySpec;
}

/** Discovers all symmetries of a graph. */
export async function discoverAll(graph: Graph): Promise<AllSymmetries> {
  const permutations = await discoverSymmetries({ graph, engine });
  const { spec } = permutations;
  return { permutations, spec, ...(await discoverContinuous({ graph, engine }, permutations)) };
}

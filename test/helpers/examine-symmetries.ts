import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Engine, type Graph, withSharedSessions } from "@isthmus/graph";
import { discoverSymmetries, verifySymmetries } from "@isthmus/symmetry";
import { expect } from "vitest";
import { describeSizes } from "./describe-symmetries.ts";

const SEED = 7;

/** Discovers, verifies on every value, and controls that each weight left unpermuted is caught. */
export function examine(graph: Graph): Promise<{ sizes: string[]; unknown: string[] }> {
  return withSharedSessions(createOnnxRuntimeEngine(), (engine) => examineWith(engine, graph));
}

async function examineWith(engine: Engine, graph: Graph): Promise<{ sizes: string[]; unknown: string[] }> {
  const permutations = await discoverSymmetries({ graph, engine });
  const { spec } = permutations;
  const result = await verifySymmetries({ graph, engine }, permutations, { seed: SEED });
  expect(result).toMatchObject({ passed: true });
  expect(result.maxRelativeError).toBeLessThan(1e-5);
  for (const [name, { fields }] of spec.weights) {
    if (fields.length === 0) continue;
    const control = await verifySymmetries({ graph, engine }, permutations, {
      seed: SEED,
      unpermuted: [name],
      findFailing: false,
    });
    expect(control.passed, `${name} left unpermuted`).toBe(false);
  }
  return { sizes: describeSizes(spec), unknown: spec.unknown.map(({ op }) => op) };
}

/** The sizes of all symmetries of a graph whose every operator is known. */
export async function sizesOf(graph: Graph): Promise<string[]> {
  const { sizes, unknown } = await examine(graph);
  expect(unknown).toEqual([]);
  return sizes;
}

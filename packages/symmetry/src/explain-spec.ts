import { at } from "@isthmus/core";
import type { AxisRef, FrozenAxis, SymmetrySpec, UnknownOperator } from "./spec.ts";

/** A summary of one symmetry in words and numbers. */
export interface SymmetrySummary {
  /** Name of the symmetry, unique within the specification. */
  readonly name: string;
  /** Units that may be permuted among each other. */
  readonly size: number;
  /** Copies: 1 for a plain symmetry, else one for each unit of its parents. */
  readonly cells: number;
  /** Kind of the symmetry: `plain`, or `nested` if each cell has its own permutation. */
  readonly kind: "plain" | "nested";
  /** Names of the symmetries whose units its cells belong to. */
  readonly parents: readonly string[];
  /** Weight axes that the symmetry moves, wholly or in part. */
  readonly axes: readonly AxisRef[];
}

/** A summary of the axes that may move, and of the axes that may not, with reasons. */
export interface SpecExplanation {
  /** Summaries of all symmetries, in the order of the specification. */
  readonly symmetries: readonly SymmetrySummary[];
  /** Families of units that only follow symmetries, such as the columns after a flatten. */
  readonly derived: number;
  /** Weight axes of extent > 1, kernel offsets of convolutions aside. */
  readonly axes: {
    readonly total: number;
    /** Axes of which every index may move. */
    readonly free: number;
    /** Axes of which some indices may move and some may not. */
    readonly partly: number;
    /** Indices of all these axes. */
    readonly indices: number;
    /** Indices that may move. */
    readonly freeIndices: number;
  };
  /** Axes on which some index may not move, kernel offsets of convolutions aside. */
  readonly frozen: readonly FrozenAxis[];
  /** Operators without a rule, whose inputs and outputs were frozen. */
  readonly unknown: readonly UnknownOperator[];
}

/**
 * Summarises a specification: the size and the axes of each symmetry, the share of axes that are free, and
 * the reasons why the others are frozen.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, discoverSymmetries, explainSpec, openArchitecture } from "isthmus";
 *
 * const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 *
 * const { axes, unknown } = explainSpec((await discoverSymmetries(architecture)).spec);
 * assert.deepEqual([axes.free, axes.total], [9, 12]); // pixels, and classes, stay in place
 * assert.equal(unknown.length, 0);
 * ```
 */
export function explainSpec(spec: SymmetrySpec): SpecExplanation {
  const frozen = spec.frozen.filter(({ kernel }) => !kernel);
  const kernels = spec.frozen.length - frozen.length;
  let extended = 0;
  let indices = 0;
  for (const { shape } of spec.weights.values()) {
    for (const extent of shape) {
      if (extent <= 1) continue;
      extended++;
      indices += extent;
    }
  }
  for (const { kernel, extent } of spec.frozen) if (kernel) indices -= extent;
  const stuck = frozen.reduce((sum, axis) => sum + axis.indices, 0);
  const total = extended - kernels;
  const partly = frozen.filter(({ indices, extent }) => indices < extent).length;
  return {
    symmetries: spec.symmetries.map(({ name, size, cells, axes }) => ({
      name,
      size,
      cells: cells.length,
      kind: at(cells, 0, "cell").length === 0 ? ("plain" as const) : ("nested" as const),
      parents: namesOf(spec, at(cells, 0, "cell")),
      axes,
    })),
    derived: spec.followers.length,
    axes: { total, free: total - frozen.length, partly, indices, freeIndices: indices - stuck },
    frozen,
    unknown: spec.unknown,
  };
}

/** Names the symmetries that some units belong to. */
function namesOf({ symmetries }: SymmetrySpec, units: readonly number[]): string[] {
  return units.map((unit) => {
    const index = symmetries.findLastIndex(({ firstUnit }) => firstUnit <= unit);
    return at(symmetries, index, "symmetry").name;
  });
}

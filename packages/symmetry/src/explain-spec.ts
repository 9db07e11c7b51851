import type { AxisRef, FrozenAxis, SymmetrySpec, UnknownOperator } from "./spec.ts";

/** One symmetry in words and numbers. */
export interface SymmetrySummary {
  readonly name: string;
  /** Units that may be permuted among each other. */
  readonly size: number;
  /** Copies: 1 for a plain symmetry, else one for each unit of its parents. */
  readonly cells: number;
  /** `plain`, or `nested` with a permutation of its own in each cell. */
  readonly kind: "plain" | "nested";
  /** Names of the symmetries whose units its cells belong to. */
  readonly parents: readonly string[];
  readonly axes: readonly AxisRef[];
}

/** What may move and what may not, and why. */
export interface SpecExplanation {
  readonly symmetries: readonly SymmetrySummary[];
  /** Families of units without freedom of their own that follow symmetries, as columns after a flatten do. */
  readonly derived: number;
  /** Weight axes of extent > 1, kernel offsets of convolutions aside. */
  readonly axes: {
    readonly total: number;
    /** Those of which every index may move. */
    readonly free: number;
    /** Those of which some indices may move. */
    readonly partly: number;
    /** Indices of all of them. */
    readonly indices: number;
    /** Indices that may move. */
    readonly freeIndices: number;
  };
  /** Axes on which some index may not move, kernel offsets of convolutions aside. */
  readonly frozen: readonly FrozenAxis[];
  readonly unknown: readonly UnknownOperator[];
}

/** Summarises a specification: what each symmetry is and moves, what share of axes is free, and what froze the others. */
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
      kind: (cells[0]?.length ?? 0) === 0 ? ("plain" as const) : ("nested" as const),
      parents: namesOf(spec, cells[0] ?? []),
      axes,
    })),
    derived: spec.followers.length,
    axes: { total, free: total - frozen.length, partly, indices, freeIndices: indices - stuck },
    frozen,
    unknown: spec.unknown,
  };
}

function namesOf({ symmetries }: SymmetrySpec, units: readonly number[]): string[] {
  return units.flatMap((unit) => {
    const above = symmetries.findLast(({ firstUnit }) => firstUnit <= unit);
    return above === undefined ? [] : [above.name];
  });
}

import { at } from "@isthmus/core";
import { createHash } from "@isthmus/platform";
import type {
  FollowerFamily,
  FrozenAxis,
  Symmetry,
  SymmetrySpec,
  UnknownOperator,
  WeightField,
} from "../spec.ts";

/** A specification as JSON. Units are numbered symmetry by symmetry, then follower by follower. */
export interface EncodedSpec {
  /** Mark by which a reader tells the format of the file. */
  readonly format: "isthmus-symmetries";
  /** Version of the format. */
  readonly version: 1;
  /** Symmetries in the order in which their units are numbered. */
  readonly symmetries: readonly EncodedSymmetry[];
  /** Families of units that only follow symmetries; left out if there are none. */
  readonly followers?: readonly EncodedFollowers[];
  /** Every weight of the graph by its name, in the order of the graph. */
  readonly weights: Readonly<Record<string, EncodedWeight>>;
  /** Axes on which some index may not move, with reasons; left out if there are none. */
  readonly frozen?: readonly FrozenAxis[];
  /** Operators without a rule; left out if there are none. */
  readonly unknown?: readonly UnknownOperator[];
}

/** A symmetry as JSON. */
export interface EncodedSymmetry {
  /** Name of the symmetry, unique within the specification; fields name their units by it. */
  readonly name: string;
  /** Number of units in each cell, at least 2. */
  readonly size: number;
  /**
   * Parent units in columns, `[arity]`: one column for each parent of a cell, with an entry for each cell;
   * left out for a plain symmetry.
   */
  readonly parents?: readonly (readonly Run[])[];
}

/** Followers as JSON. */
export interface EncodedFollowers {
  /**
   * Parent units in columns, `[arity]`: one column for each parent of a unit, with an entry for each unit.
   */
  readonly parents: readonly (readonly Run[])[];
}

/** A weight as JSON. */
export interface EncodedWeight {
  /** Shape of the weight. */
  readonly shape: readonly number[];
  /** Shape that the fields refer to; left out if it equals the shape of the weight. */
  readonly view?: readonly number[];
  /** Role of the weight; left out for parameters. */
  readonly role?: "statistic";
  /** Fields; left out if nothing moves. */
  readonly fields?: readonly EncodedField[];
}

/** A field as JSON. */
export interface EncodedField {
  /** Axes of the view on which the units lie, ascending. */
  readonly axes: readonly number[];
  /**
   * Unit at each position over the axes, row-major, -1 at positions that do not move; or the name of a
   * symmetry whose units the field holds, all of them in order.
   */
  readonly units: string | readonly Run[];
  /** Ranks; left out if all are 0. */
  readonly ranks?: readonly Run[];
}

/**
 * Turns a specification into JSON that people can read and write: axes name the symmetry that lies on them.
 */
export function encodeSpec(spec: SymmetrySpec): EncodedSpec {
  const weights: Record<string, EncodedWeight> = {};
  for (const [name, { shape, view, role, fields }] of spec.weights) {
    weights[name] = {
      shape,
      ...(view.length === shape.length ? {} : { view }),
      ...(role === "statistic" ? { role } : {}),
      ...(fields.length === 0 ? {} : { fields: fields.map((field) => encodeField(field, spec.symmetries)) }),
    };
  }
  return {
    format: "isthmus-symmetries",
    version: 1,
    symmetries: spec.symmetries.map(encodeSymmetry),
    ...(spec.followers.length === 0 ? {} : { followers: spec.followers.map(encodeFollowers) }),
    weights,
    ...(spec.frozen.length === 0 ? {} : { frozen: spec.frozen }),
    ...(spec.unknown.length === 0 ? {} : { unknown: spec.unknown }),
  };
}

function encodeSymmetry({ name, size, cells }: Symmetry): EncodedSymmetry {
  return at(cells, 0, "cell").length === 0 ? { name, size } : { name, size, parents: encodeParents(cells) };
}

function encodeFollowers({ parents }: FollowerFamily): EncodedFollowers {
  return { parents: encodeParents(parents) };
}

function encodeParents(parents: readonly (readonly number[])[]): Run[][] {
  const arity = at(parents, 0, "list of parents").length;
  return Array.from({ length: arity }, (_, k) => encodeRuns(parents.map((list) => at(list, k, "parent"))));
}

function encodeField({ axes, units, ranks }: WeightField, symmetries: readonly Symmetry[]): EncodedField {
  const whole = symmetries.find(
    ({ firstUnit, size, cells }) =>
      units.length === size * cells.length && units.every((unit, i) => unit === firstUnit + i),
  );
  return {
    axes,
    units: whole?.name ?? encodeRuns(units),
    ...(ranks.every((rank) => rank === 0) ? {} : { ranks: encodeRuns(ranks) }),
  };
}

/**
 * A stretch of whole numbers with a constant step: `[first, count, step]`; the step is left out if it is 1.
 */
type Run = readonly [number, number] | readonly [number, number, number];

/** Shortest stretch worth a step other than 1. */
const MIN_STEP_RUN = 3;

/** Compresses whole numbers to stretches with a constant step. */
export function encodeRuns(values: ArrayLike<number>): Run[] {
  const runs: Run[] = [];
  for (let begin = 0; begin < values.length; ) {
    const run = runAt(values, begin);
    runs.push(run);
    begin += run[1];
  }
  return runs;
}

/**
 * Finds the longest stretch that begins at a place, or one number if the stretch is too short for its step.
 */
function runAt(values: ArrayLike<number>, begin: number): Run {
  const first = at(values, begin, "number");
  const step = begin + 1 < values.length ? at(values, begin + 1, "number") - first : 1;
  let end = begin + 1;
  while (end < values.length && at(values, end, "number") - at(values, end - 1, "number") === step) end++;
  if (step === 1) return [first, end - begin];
  return end - begin >= MIN_STEP_RUN ? [first, end - begin, step] : [first, 1];
}

/** Hexadecimal digits of a fingerprint: 64 bits. */
const DIGITS = 16;

/**
 * Computes a fingerprint of the weights and units of a specification; reasons of frozen axes do not change
 * it.
 */
export function fingerprintSpec(spec: SymmetrySpec): string {
  const encoded = encodeSpec({ ...spec, frozen: [], unknown: [] });
  return createHash("sha256").update(JSON.stringify(encoded)).digest("hex").slice(0, DIGITS);
}

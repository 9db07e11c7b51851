import {
  at,
  choiceField,
  entry,
  excerpt,
  type FieldsOf,
  OutOfRangeError,
  sumOf,
  type Tensor,
  UsageError,
} from "@isthmus/core";
import { layerOf } from "@isthmus/interpolation";
import type { Reparameterization } from "@isthmus/training";
import { createProjection } from "./projection/create-projection.ts";
import { PROJECTION_KINDS, type Projection, type ProjectionKind } from "./projection/projection.ts";
import { splitDimension } from "./split-dimension.ts";

/** Scopes of a random matrix: all trained parameters, or the parameters of one layer. */
export const SUBSPACE_SCOPES = ["whole", "layer"] as const;

/**
 * Scope of a random matrix: `whole` for all trained parameters at once; `layer` for the parameters of one
 * layer, which share a name up to the last dot, so that each layer has coordinates of its own.
 */
export type SubspaceScope = (typeof SUBSPACE_SCOPES)[number];

/** Options of a random subspace. */
export interface SubspaceOptions {
  /**
   * Number of coordinates in all, at least 1 and at most the number of trained parameters; with the scope
   * `layer` they are split over the layers by their sizes, at least one for each.
   */
  readonly dimension: number;
  /** Kind of the random matrix. @defaultValue "fastfood" */
  readonly projection?: ProjectionKind;
  /** Scope of each random matrix. @defaultValue "whole" */
  readonly scope?: SubspaceScope;
}

/** Fields of {@link SubspaceOptions} except the dimension, which a search chooses. */
export const SUBSPACE_FIELDS: FieldsOf<Omit<SubspaceOptions, "dimension">> = {
  projection: choiceField<ProjectionKind>(PROJECTION_KINDS, {
    placeholder: "<kind>",
    default: "fastfood",
    help: "the random matrix",
  }),
  scope: choiceField<SubspaceScope>(SUBSPACE_SCOPES, {
    placeholder: "<scope>",
    default: "whole",
    help: "what a matrix reaches: the whole network, or one layer each",
  }),
};

/** Random matrix with its parameters. */
interface Part {
  readonly names: readonly string[];
  readonly projection: Projection;
  /** Index of the part's first coordinate. */
  readonly begin: number;
  /** Values of all parameters of the part, one parameter after the other. */
  readonly flat: Float32Array;
}

/**
 * Creates the random subspace `theta_0 + P z` through parameters: a map from coordinates `z` to parameters,
 * and from the gradient `g` by parameters to the gradient `P^T g` by coordinates.
 * @param start - the parameters `theta_0`, in order
 * @throws UsageError if the projection or the scope is unknown
 * @throws OutOfRangeError if the dimension is not from 1, or one for each layer, to the number of parameters
 */
export function createSubspace(
  start: ReadonlyMap<string, Tensor>,
  { dimension, projection, scope }: Required<SubspaceOptions>,
  seed: number,
): Reparameterization {
  assertScope(scope);
  const groups = groupParameters([...start.keys()], scope);
  const sizes = groups.map((names) =>
    names.reduce((sum, name) => sum + entry(start, name, "parameter").data.length, 0),
  );
  assertDimension(dimension, sizes);
  const dimensions = splitDimension(sizes, dimension);
  let next = 0;
  const parts = groups.map((names, index): Part => {
    const [rows, columns] = [at(sizes, index, "size"), at(dimensions, index, "dimension")];
    const begin = next;
    next += columns;
    const shape = { rows, columns, seed, label: `projection ${index}` };
    return { names, projection: createProjection(projection, shape), begin, flat: new Float32Array(rows) };
  });
  return {
    dimension,
    description: { dimension, projection, scope },
    placeInto(coordinates, parameters) {
      for (const part of parts) {
        part.projection.multiplyInto(coordinatesOf(part, coordinates), part.flat);
        for (const [name, change] of piecesOf(part, start)) {
          addInto(floatsOf(start, name), change, floatsOf(parameters, name));
        }
      }
    },
    pullBackInto(gradients, out) {
      for (const part of parts) {
        for (const [name, piece] of piecesOf(part, start)) piece.set(floatsOf(gradients, name));
        part.projection.multiplyTransposedInto(part.flat, coordinatesOf(part, out));
      }
    },
  };
}

/**
 * Checks the scope of a subspace.
 * @throws UsageError if the scope is unknown
 */
function assertScope(scope: SubspaceScope): void {
  if (SUBSPACE_SCOPES.includes(scope)) return;
  throw new UsageError(
    `Cannot train in a subspace as "scope" must be one of ${SUBSPACE_SCOPES.join(", ")}: it is ${excerpt(scope)}`,
  );
}

/** Groups the names of parameters that share one matrix, in their order. */
export function groupParameters(
  names: readonly string[],
  scope: SubspaceScope,
): readonly (readonly string[])[] {
  if (scope === "whole") return [names];
  const groups = new Map<string, string[]>();
  for (const name of names) groups.set(layerOf(name), [...(groups.get(layerOf(name)) ?? []), name]);
  return [...groups.values()];
}

function assertDimension(dimension: number, sizes: readonly number[]): void {
  const parameters = sumOf(sizes);
  const least = sizes.length;
  if (Number.isSafeInteger(dimension) && dimension >= least && dimension <= parameters) return;
  const layers = least === 1 ? "1" : `${least}, one for each layer,`;
  throw new OutOfRangeError(
    `Cannot train in a subspace as "dimension" must be a whole number from ${layers} to the ${parameters} trained parameters: it is ${dimension}`,
  );
}

const coordinatesOf = ({ begin, projection }: Part, all: Float32Array): Float32Array =>
  all.subarray(begin, begin + projection.columns);

/** Lists the parameters of a part, each with its section of the part's values. */
function piecesOf(
  { names, flat }: Part,
  start: ReadonlyMap<string, Tensor>,
): (readonly [name: string, piece: Float32Array])[] {
  let begin = 0;
  return names.map((name) => {
    const piece = flat.subarray(begin, begin + floatsOf(start, name).length);
    begin += piece.length;
    return [name, piece];
  });
}

const floatsOf = (tensors: ReadonlyMap<string, Tensor>, name: string): Float32Array =>
  entry(tensors, name, "parameter").data as Float32Array;

function addInto(x: Float32Array, y: Float32Array, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = (x[i] as number) + (y[i] as number);
}

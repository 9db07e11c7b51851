import type { LayerPlace } from "../layout/infer-layout.ts";
import type { Member } from "./groups.ts";
import type { Input } from "./open-inputs.ts";
import type { RoledGroup } from "./roles.ts";

/** A tensor that a network must have for the plan. */
export interface PlacedPart {
  /** Network in the recipe, with its own settings. */
  readonly member: Member;
  /** Opened network, in which the tensor is looked up. */
  readonly input: Input;
  /** Name of the tensor in this network, which may have another number of the layer than the result. */
  readonly tensor: string;
}

/** A tensor of the result, and the tensors from which it is made. */
export interface Place {
  /** Name of the tensor in the result. */
  readonly output: string;
  /** Group of networks whose settings apply. */
  readonly group: RoledGroup;
  /** Position between the first layer of its group (0) and the last (1); 0 outside layers. */
  readonly along: number;
  /** Tensor of each network that the method merges, in its order. */
  readonly parts: readonly PlacedPart[];
  /** Tensor of the base; undefined if the method compares with no base. */
  readonly base: PlacedPart | undefined;
}

/** A tensor of the result that no part of the recipe names. */
export interface CopyPlace {
  /** Name of the tensor, in the network and in the result. */
  readonly output: string;
  /** Network that the tensor is copied from. */
  readonly copied: Input;
}

/**
 * Returns the position of a layer between the first (0) and the last (1) of `count` layers; 1 for a single
 * layer.
 */
export function alongOf(layer: number, count: number): number {
  return count > 1 ? layer / (count - 1) : 1;
}

/** Returns the position of a tensor in its run of layers, from 0 to 1; 0 outside layers. */
export function alongRun(place: LayerPlace | undefined): number {
  return place === undefined ? 0 : alongOf(place.layer, place.run.count);
}

import { at, type Checkpoint } from "@isthmus/core";
import type { HiddenLayer } from "@isthmus/symmetry/layout";
import type { LayerRemainder } from "../dropout-stability/choose-units.ts";
import { dropUnits } from "../dropout-stability/drop-units.ts";
import type { Slots } from "./element-maps.ts";
import { type Placement, readCopy, type Weights, writeCopy } from "./place-copy.ts";
import { readWeights } from "./read-weights.ts";

/** Network that a path goes through, with the line that leads to it. */
export interface Waypoint {
  /** Weights of the network, by name. */
  readonly weights: Weights;
  /** Description of the change on the line to the network, for readers. */
  readonly step: string;
  /** Whether the outputs change on the line: if so, they change linearly. */
  readonly isChange: boolean;
}

/** Path from a network to one that uses at most half of the units of each layer. */
export interface HalvedNetwork {
  /** Networks of the path, the original network first. */
  readonly waypoints: readonly Waypoint[];
  /** Units of the network at the places of the last waypoint, or -1 for empty places, for each layer. */
  readonly slots: readonly Slots[];
}

/**
 * Makes a path from a network to one that uses only the chosen units.
 *
 * The last layer loses its units first. Then, for one layer more each time, the layers behind it are written
 * a second time, into free places, now for the reduced layer in front; and the readers of the last layer turn
 * from the first copy to the second. On every line the network's function either does not change, or its
 * outputs change linearly from one reduced network to the next, so that a convex loss is at most the larger
 * of both (Kuditipudi et al. 2019, lemma 1 and theorem 1).
 * @param remainders - remainders of all layers, in order; at most half of the units stay
 * @param order - `layers` for the lines described above; `direct` for one line on which all layers change at
 *   once
 */
export async function halveNetwork(
  network: Checkpoint,
  remainders: readonly LayerRemainder[],
  order: "layers" | "direct",
): Promise<HalvedNetwork> {
  const layers = remainders.map(({ layer }) => layer);
  const reduced = (first: number) => readWeights(dropUnits(network, remainders.slice(first)));
  const slots: Slots[] = remainders.map(({ stays }) =>
    Int32Array.from(stays, (stay, unit) => (stay === 1 ? unit : -1)),
  );
  const start: Waypoint = { weights: await readWeights(network), step: "", isChange: false };
  if (order === "direct") {
    const step = `take units out of ${layers.length} layers`;
    return { waypoints: [start, { weights: await reduced(0), step, isChange: true }], slots };
  }
  const last = layers.length - 1;
  let weights = await reduced(last);
  const waypoints: Waypoint[] = [
    start,
    { weights, step: dropping(at(layers, last, "layer")), isChange: true },
  ];
  for (let first = last - 1; first >= 0; first--) {
    const source = await reduced(first);
    const behind = layers.slice(first + 1);
    const placed = behind.map((_, index) => {
      const { stays } = at(remainders, first + 1 + index, "layer");
      return placeUnits(
        unitsThatStay(stays),
        freePlaces(at(slots, first + 1 + index, "layer")),
        stays.length,
      );
    });
    const placement: Placement = { layers: behind, slots: placed };
    weights = writeCopy(weights, source, placement);
    waypoints.push({ weights, step: `copy ${behind.map(({ name }) => name).join(", ")}`, isChange: false });
    weights = readCopy(weights, source, placement);
    waypoints.push({ weights, step: dropping(at(layers, first, "layer")), isChange: true });
    slots.splice(first + 1, placed.length, ...placed);
  }
  return { waypoints, slots };
}

const dropping = ({ name }: HiddenLayer): string => `take units out of ${name}`;

/** Lists the units that stay. */
function unitsThatStay(stays: Uint8Array): readonly number[] {
  return Array.from(stays.keys()).filter((unit) => stays[unit] === 1);
}

/** Lists the empty places of a layer. */
export function freePlaces(slots: Slots): readonly number[] {
  return Array.from(slots.keys()).filter((place) => (slots[place] as number) < 0);
}

/**
 * Gives every unit a free place: its own if that is free, otherwise the next place that no other unit has.
 */
export function placeUnits(units: readonly number[], free: readonly number[], size: number): Slots {
  const slots = new Int32Array(size).fill(-1);
  const isFree = new Set(free);
  for (const unit of units) if (isFree.delete(unit)) slots[unit] = unit;
  const rest = [...isFree];
  for (const unit of units.filter((one) => slots[one] !== one)) {
    slots[at(rest, 0, "free place")] = unit;
    rest.shift();
  }
  return slots;
}

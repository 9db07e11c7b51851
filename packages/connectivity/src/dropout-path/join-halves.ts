import { at } from "@isthmus/core";
import type { HiddenLayer } from "@isthmus/symmetry/layout";
import type { Slots } from "./element-maps.ts";
import { freePlaces, type HalvedNetwork, placeUnits, type Waypoint } from "./halve-network.ts";
import { type Placement, readCopy, readRepetitions, repeatUnits, writeCopy } from "./place-copy.ts";

/**
 * Joins two networks that use at most half of the units of each layer: writes the second into the places that
 * the first leaves free, turns the outputs from the first to the second, and moves units of the second that
 * lie at other places to their own.
 * @returns networks of the path from the first to the second, without the first
 */
export function joinHalves(
  layers: readonly HiddenLayer[],
  a: HalvedNetwork,
  b: HalvedNetwork,
): readonly Waypoint[] {
  const source = lastOf(b).weights;
  const placement: Placement = {
    layers,
    slots: layers.map((_, index) => placeBeside(slotsOf(a, index), slotsOf(b, index))),
  };
  const written = writeCopy(lastOf(a).weights, source, placement);
  const turned = readCopy(written, source, placement);
  const waypoints: Waypoint[] = [
    { weights: written, step: "copy the second network beside the first", isChange: false },
    { weights: turned, step: "turn from the first network to the second", isChange: true },
  ];
  const moved: Placement = { layers, slots: placement.slots.map(homesOf) };
  if (moved.slots.some((slots) => slots.some((place) => place >= 0))) {
    const repeated = repeatUnits(turned, moved);
    waypoints.push(
      { weights: repeated, step: "write units at their own places", isChange: false },
      { weights: readRepetitions(repeated, moved), step: "read them there", isChange: false },
    );
  }
  return [...waypoints, { weights: source, step: "forget the first network", isChange: false }];
}

const lastOf = ({ waypoints }: HalvedNetwork): Waypoint => at(waypoints, waypoints.length - 1, "waypoint");
const slotsOf = ({ slots }: HalvedNetwork, index: number): Slots => at(slots, index, "layer");

/**
 * Places the units of one network (`guest`) into the empty places of another (`host`), at their own places if
 * these are free.
 */
function placeBeside(host: Slots, guest: Slots): Slots {
  const used = Array.from(guest.keys()).filter((place) => (guest[place] as number) >= 0);
  return placeUnits(used, freePlaces(host), host.length);
}

/**
 * Returns for each place where its unit lies now; -1 for a place without a unit, or whose unit is already
 * there.
 */
function homesOf(slots: Slots): Slots {
  const homes = new Int32Array(slots.length).fill(-1);
  slots.forEach((unit, place) => {
    if (unit >= 0 && unit !== place) homes[unit] = place;
  });
  return homes;
}

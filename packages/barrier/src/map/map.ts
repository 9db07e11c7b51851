import type { Measurement, PairsMeasurement } from "@isthmus/findings";
import type { MapResult } from "../map-result.ts";
import { mapNetworks } from "./map-networks.ts";
import {
  MAP_ATTEMPT,
  MAP_FIELDS,
  MAP_PAIRS_FIELDS,
  type MapChoice,
  type MapPairsChoice,
  type MapProgress,
} from "./map-options.ts";
import { MAP_RESULT } from "./map-result-kind.ts";
import { measurePairs } from "./measure-pairs.ts";

/** Measurement of the loss between two networks of a map. */
const MAP_PAIRS: PairsMeasurement<MapPairsChoice> = {
  options: MAP_PAIRS_FIELDS,
  note: "workers measure the pairs; the alignment itself runs on this machine",
  evaluations: ({ points }) => points - 2,
  run: ({ graph, engine, data, statisticsData, networks }, pairs, options, { signal, onProgress }) =>
    measurePairs({ graph, engine, data }, networks, pairs, {
      ...options,
      statisticsData,
      signal,
      onProgress,
    }),
};

/**
 * Measurement of barriers between all pairs of networks, before and after alignment, and of the networks'
 * places in a plane.
 */
export const MAP: Measurement<"networks-and-star", MapChoice, MapResult> = {
  ...MAP_RESULT,
  version: 1,
  attempt: MAP_ATTEMPT,
  subject: "networks-and-star",
  options: MAP_FIELDS,
  journal: { keeps: "finished pairs", file: "pairs.json" },
  pairs: MAP_PAIRS,
  examples: [
    [
      "--data mnist:test@2000 -o map.json --report map.html",
      "heat maps of barriers, and the networks as points of a plane",
    ],
    [
      "--star star.safetensors --journal pairs.json",
      "with the star that isthmus star found; start it again after an interruption and it goes on",
    ],
    [
      "--ground 21 --through 1,3,4 -o map.json --report map.html",
      "a page to walk on: the losses of the plane through the first, third and fourth network are its ground",
    ],
    ["--points 11 --many cycle", "barriers on a finer grid, aligned by the cycle-consistent search alone"],
    [
      "-o map.json --queue /shared/queue --storage /shared",
      "pairs are measured by workers, started by: isthmus worker --queue /shared/queue --storage /shared",
    ],
  ],
  async run(subject, options, { signal, journalPath, measurePairs, report }) {
    const { graph, engine, networks, star, data, statisticsData } = subject;
    return mapNetworks(
      { graph, engine },
      networks.map(({ network }) => network),
      data,
      {
        ...options,
        star,
        statisticsData,
        journalPath,
        measurePairs,
        signal,
        onProgress: ({ phase, done }) => report(PHASES[phase], done),
      },
    );
  },
};

const PHASES: Readonly<Record<MapProgress["phase"], string>> = {
  aligning: "Aligning",
  measuring: "Measuring pairs",
  ground: "Measuring the ground",
};

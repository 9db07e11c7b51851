import { at, createCheckpoint, createRandom, createTensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights } from "@isthmus/graph";
import {
  compose,
  discoverContinuous,
  discoverSymmetries,
  identityAlignment,
  identityMixture,
  permute,
} from "@isthmus/symmetry";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { streamNetwork } from "../../../../../test/helpers/stream-networks.ts";
import { examplesFor } from "../../../test/learned-networks.ts";
import { findMovableUnits } from "../open-frame.ts";
import { createStreamFrame } from "../stream-frame.ts";
import { sampledShares } from "./blend.ts";
import { changedWeights } from "./changed-weights.ts";
import { learnMixture } from "./learn-mixture.ts";
import { beginLearning } from "./learning.ts";
import { createMidpointMixer } from "./midpoint-mixer.ts";
import { createSoftMidpoint } from "./soft-midpoint.ts";
import { identityPlaces } from "./unit-mover.ts";

/** Hidden units of the network. */
const HIDDEN = 12;

const seeds = fc.integer({ min: 0, max: 1e6 });
const steps = fc.integer({ min: 1, max: 1e5 });

describe("sampledShares()", () => {
  test("sums to 1, and depends on seed and step only", () => {
    fc.assert(
      fc.property(seeds, steps, steps, fc.integer({ min: 2, max: 6 }), (seed, step, other, count) => {
        const shares = sampledShares(count, seed, step);
        expect(shares).toHaveLength(count);
        expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
        // What was drawn in between decides nothing.
        const between = sampledShares(count, seed, other);
        expect(sampledShares(count, seed, step)).toEqual(shares);
        if (other !== step) expect(between).not.toEqual(shares);
        expect(sampledShares(count, seed + 1, step)).not.toEqual(shares);
      }),
    );
  });

  test("is even over steps", () => {
    const drawn = Array.from({ length: 4000 }, (_, step) => sampledShares(2, 7, step + 1));
    for (let tenth = 0; tenth < 10; tenth++) {
      const share = drawn.filter(([, t = 0]) => Math.floor(10 * t) === tenth).length / drawn.length;
      // Five standard deviations of a share of a tenth among 4,000.
      expect(Math.abs(share - 0.1)).toBeLessThan(0.024);
    }
    // Of the even distribution over the shares of four a share exceeds s with probability (1 - s)^3.
    const ofFour = Array.from({ length: 4000 }, (_, step) => sampledShares(4, 7, step + 1));
    for (let network = 0; network < 4; network++) {
      const large = ofFour.filter((shares) => at(shares, network, "share") > 0.25).length / ofFour.length;
      expect(Math.abs(large - 0.75 ** 3)).toBeLessThan(0.04);
    }
  });
});

describe("learnMixture() with units that move", () => {
  const graph = streamNetwork("layer");
  const engine = createOnnxRuntimeEngine();

  test("recovers a planted permutation of units from a small perturbation", async () => {
    const symmetries = await discoverSymmetries({ graph, engine });
    const { spec } = symmetries;
    const architecture = { graph, engine, symmetries };
    const continuous = await discoverContinuous({ graph, engine }, symmetries);
    const frame = createStreamFrame(graph, continuous);
    const movable = findMovableUnits(spec, frame);
    // The hidden units of the MLP; the stream and heads are mixed.
    expect(movable.map(({ symmetry }) => symmetry.size)).toEqual([HIDDEN]);
    const { firstUnit } = at(movable, 0, "units").symmetry;
    for (let seed = 0; seed < 4; seed++) {
      const random = createRandom(seed, "planted");
      const planted = random.shuffleInPlace(identityPlaces(HIDDEN));
      const source = identityAlignment(spec).source.slice();
      source.set(
        planted.map((unit) => firstUnit + unit),
        firstUnit,
      );
      const weights = randomWeights(graph, seed);
      const noisy = new Map(
        [...weights].map(([name, { shape, data }]) => [
          name,
          createTensor(
            "f32",
            shape,
            (data as Float32Array).map((value) => value + 0.02 * random.normal()),
          ),
        ]),
      );
      const ends = [createCheckpoint(weights), permute({ source }, createCheckpoint(noisy), spec)] as const;
      const [a, b] = [await frame.enter(ends[0]), await frame.enter(ends[1])];
      const moving = { ...frame, movable };
      const pair = { architecture, frame: moving, networks: [a, b] };
      const withRespectTo = changedWeights(architecture, moving).map(({ name }) => name);
      const midpoint = await createSoftMidpoint(architecture, ends, examplesFor(graph, seed, 32), {
        batchSize: 8,
        withRespectTo,
      });
      const mixer = await createMidpointMixer(pair, { count: 2, movers: [1] });
      const start = beginLearning(moving, identityMixture(frame.symmetries.mixing.spaces));
      const { units } = await learnMixture(pair, { midpoint, mixer, movers: [1] }, [start], {
        ...{ seed, steps: 20, learningRate: 0.01, at: "half", rule: "adam", saveEvery: 100 },
      });
      // Planted and undone is as it was.
      const back = source.slice();
      back.set(
        at(at(units, 0, "network").places, 0, "units").map((unit) => firstUnit + unit),
        firstUnit,
      );
      expect(compose({ source: back }, { source }).source).toEqual(identityAlignment(spec).source);
      await mixer.release();
      await midpoint.release();
    }
  });
});

import { at, type Checkpoint, createRandom } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { networkCase } from "../../../../../test/helpers/network-cases.ts";
import { randomNetwork } from "../../../../../test/helpers/random-network.ts";
import { smallCnn, smallMlp, smallTransformer } from "../../../../../test/helpers/small-networks.ts";
import { randomPlacement } from "../../frank-wolfe/random-placement.ts";
import { openMatchedNetwork, votingSpec } from "../matched-network.ts";
import { createPanelSums } from "./panel-sums.ts";
import { Universe } from "./universe.ts";

const NETWORKS = 3;
/** Costs are computed for all networks this often, between single moves. */
const MOVES = 12;
const NOWHERE = { current: new Int32Array(), frame: new Int32Array() };

describe("Universe", () => {
  test.each([
    ["mlp", smallMlp],
    ["cnn", smallCnn],
    ["transformer", smallTransformer],
  ])("costs that follow moves of a %s are those of the networks where they are now", async (_, build) => {
    const { graph, spec: whole } = await networkCase(build());
    const spec = votingSpec(whole);
    const held = new Set<number>();
    const networks: Checkpoint[] = [];
    for (let seed = 0; seed < NETWORKS; seed++) {
      networks.push(await openMatchedNetwork(randomNetwork(graph, seed), spec, { graph, kept: true }));
    }
    const sums = createPanelSums(undefined, 1);
    const moving = await Universe.open(networks, { spec, held, sums });
    const fresh = await Universe.open(networks, { spec, held, sums });
    const random = createRandom(0, "universe");
    for (const network of moving.networks) {
      network.place(randomPlacement({ spec, held }, random));
      network.followCosts();
    }
    moving.sumImages();

    for (let k = 0; k < MOVES; k++) {
      for (const [i, network] of fresh.networks.entries()) {
        network.place(at(moving.networks, i, "network").placement);
      }
      fresh.sumImages();
      for (const [i, network] of moving.networks.entries()) {
        const other = at(fresh.networks, i, "network");
        moving.turnTo(network);
        fresh.turnTo(other);
        for (const [b, matcher] of network.matchers.entries()) {
          const followed = await matcher.costsAt(NOWHERE);
          const expected = await at(other.matchers, b, "matcher").costsAt(NOWHERE);
          for (const [m, costs] of [...followed.values()].entries()) {
            const afresh = at([...expected.values()], m, "costs");
            costs.forEach((cost, c) => {
              expect(cost).toBeCloseTo(at(afresh, c, "cost"), 3);
            });
          }
        }
      }
      const network = at(moving.networks, random.integer(NETWORKS), "network");
      const matcher = at(network.matchers, random.integer(network.matchers.length), "matcher");
      const anywhere = randomPlacement({ spec, held }, random);
      const choices = matcher.block.members.map(
        ({ index }) => [index, at(anywhere, index, "choice")] as const,
      );
      // Every other move is of a few units alone.
      if (k % 2 === 1) {
        for (const [index, choice] of choices) {
          choice.set(at(network.placement, index, "choice"));
          [choice[0], choice[1]] = [at(choice, 1, "unit"), at(choice, 0, "unit")];
        }
      }
      moving.move(network, matcher, new Map(choices));
    }
  });
});

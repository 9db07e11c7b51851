/**
 * Counts how often matching many networks finds planted permutations: n copies of a random network, all but the first
 * permuted at random.
 *
 *     npx tsx --conditions=@isthmus/source tools/many-networks/planted.ts [--net mlp:32x2] [--shape 1,28,28]
 *         [--graph FILE] [--copies 3,8,20] [--seeds 100] [--many cycle,merge-many,tree,reference,best]
 *
 * For every seed the weights, the permutations and the search are others. All copies are found if each, aligned, equals
 * the first bit for bit; a circle is closed if going from one network to a second, a third, and back moves no unit, for
 * all triples of neighbours. Prints one JSON object for each method and number of copies.
 */
import { parseArgs } from "node:util";
import { type Checkpoint, createCheckpoint, viewBytes } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights, readGraph } from "@isthmus/graph";
import {
  type Alignment,
  compose,
  discoverSymmetries,
  identityAlignment,
  permute,
  randomAlignment,
} from "@isthmus/symmetry";
import { alignmentBetween, type ManyMethod, matchMany } from "@isthmus/weight-matching";
import { parseNetwork } from "@isthmus/zoo";

const { values: args } = parseArgs({
  options: {
    net: { type: "string", default: "mlp:32x2" },
    shape: { type: "string", default: "1,28,28" },
    graph: { type: "string" },
    copies: { type: "string", default: "3,8,20" },
    seeds: { type: "string", default: "100" },
    many: { type: "string", default: "cycle,merge-many,tree,reference,best" },
  },
});
const engine = createOnnxRuntimeEngine();
const exampleShape = args.shape.split(",").map(Number);
const graph =
  args.graph === undefined
    ? parseNetwork(args.net, { exampleShape, classes: 10 }).graph
    : (await readGraph(args.graph)).graph;
const { spec } = await discoverSymmetries({ graph, engine });

async function sameBytes(x: Checkpoint, y: Checkpoint): Promise<boolean> {
  for (const name of x.tensors.keys()) {
    const [left, right] = await Promise.all([x.read(name), y.read(name)]);
    if (Buffer.compare(viewBytes(left.data), viewBytes(right.data)) !== 0) return false;
  }
  return true;
}

/** Goes round every triple of neighbours, and checks that no unit moves. */
function closesCircles(universe: readonly Alignment[]): boolean {
  const still = identityAlignment(spec);
  return universe.every((_, a) => {
    const [b, c] = [(a + 1) % universe.length, (a + 2) % universe.length];
    const there = compose(alignmentBetween(universe, a, b), alignmentBetween(universe, b, c));
    const circle = compose(there, alignmentBetween(universe, c, a));
    return circle.source.every((unit, place) => unit === still.source[place]);
  });
}

for (const many of args.many.split(",") as ManyMethod[]) {
  for (const copies of args.copies.split(",").map(Number)) {
    const missed: { seed: number; short: number }[] = [];
    let closed = 0;
    const started = performance.now();
    for (let seed = 0; seed < Number(args.seeds); seed++) {
      const original = createCheckpoint(randomWeights(graph, seed));
      const networks = Array.from({ length: copies }, (_, i) =>
        i === 0 ? original : permute(randomAlignment(spec, 1000 * seed + i), original, spec),
      );
      const { universe, objective, limit } = await matchMany({ spec, graph, engine }, networks, {
        seed,
        many,
      });
      let isFound = true;
      for (const [i, network] of networks.entries()) {
        isFound &&= await sameBytes(original, permute(universe[i] as Alignment, network, spec));
      }
      if (!isFound) missed.push({ seed, short: 1 - objective.after / limit });
      if (closesCircles(universe)) closed++;
    }
    console.log(
      JSON.stringify({
        ...{ net: args.graph ?? args.net, units: spec.units, many, copies, planted: Number(args.seeds) },
        ...{
          recovered: Number(args.seeds) - missed.length,
          circlesClosed: closed,
          missed: missed.slice(0, 10),
        },
        secondsEach: Number(((performance.now() - started) / 1000 / Number(args.seeds)).toFixed(2)),
      }),
    );
  }
}

// Two measurements of one's own, of a pair and of several networks, as a user writes them.
import { choiceField } from "@isthmus/core";
import { defineMeasurement } from "@isthmus/findings";
import { fingerprintWeights } from "@isthmus/graph";

const options = { norm: choiceField(["euclidean", "largest"], { default: "euclidean", help: "norm" }) };

/** Measures how far two networks are apart. */
async function distanceOf(graph, a, b, norm) {
  let total = 0;
  for (const name of graph.weights.keys()) {
    const [one, two] = [await a.read(name), await b.read(name)];
    for (const [i, value] of one.data.entries()) {
      const gap = Math.abs(value - two.data[i]);
      total = norm === "largest" ? Math.max(total, gap) : total + gap * gap;
    }
  }
  return norm === "largest" ? total : Math.sqrt(total);
}

export const pair = defineMeasurement({
  verb: "pair-distance",
  kind: "pair-distance",
  summary: "Measure how far two networks are apart",
  subject: "pair",
  options,
  run: async ({ graph, a, b }, { norm }) => ({ distance: await distanceOf(graph, a, b, norm) }),
});

const pairs = {
  note: "workers measure the distances",
  options,
  evaluations: () => 1,
  async run({ graph, networks }, positions, { norm }, { signal, onProgress }) {
    const numbers = [];
    for (const [a, b] of positions) {
      signal?.throwIfAborted();
      numbers.push([await distanceOf(graph, networks[a], networks[b], norm)]);
      onProgress(numbers.length / positions.length);
    }
    return numbers;
  },
};

export const several = defineMeasurement({
  verb: "distances",
  kind: "distances",
  summary: "Measure how far networks are apart, two by two",
  subject: "networks",
  options,
  pairs,
  async run({ networks: named, ...subject }, chosen, { measurePairs, signal, report }) {
    const networks = named.map(({ network }) => network);
    const positions = networks.flatMap((_, a) => networks.slice(a + 1).map((_, i) => [a, a + 1 + i]));
    const onProgress = (done) => report("Measuring distances", done);
    let numbers = [];
    if (measurePairs === undefined) {
      numbers = await pairs.run({ ...subject, networks }, positions, chosen, { signal, onProgress });
    } else {
      const { graph } = subject;
      const identified = [];
      for (const network of networks)
        identified.push({ network, fingerprint: await fingerprintWeights(graph, network) });
      const onPair = async (pair, found) => {
        numbers[pair] = found;
      };
      const asked = { graph, networks: identified, pairs: positions, options: chosen };
      await measurePairs(asked, { signal, onProgress, onPair });
    }
    const distances = positions.map(([a, b], i) => {
      return { a: named[a].label, b: named[b].label, distance: numbers[i][0] };
    });
    return { distances, measuredBy: measurePairs === undefined ? "this process" : "workers" };
  },
});

// Measurements of one's own, of pairs and of several networks, as a user writes them.
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

export const cosine = defineMeasurement({
  verb: "weight-cosine",
  kind: "weight-cosine",
  summary: "Measure the angle between the weights of two networks",
  subject: "pair",
  needsData: false,
  examples: [["--json", "as a number to go on with"]],
  async run({ a, b }) {
    const sums = { ab: 0, aa: 0, bb: 0 };
    for (const name of a.tensors.keys()) {
      const [one, two] = [await a.read(name), await b.read(name)];
      for (const [i, value] of one.data.entries()) {
        sums.ab += value * two.data[i];
        sums.aa += value * value;
        sums.bb += two.data[i] * two.data[i];
      }
    }
    return { cosine: sums.ab / Math.sqrt(sums.aa * sums.bb) };
  },
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

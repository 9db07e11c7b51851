// Finds the network that lies on straight lines of low loss to several others, and measures its barrier to one held out.
import assert from "node:assert/strict";
import {
  createOnnxRuntimeEngine,
  discoverSymmetries,
  findStar,
  measureStar,
  openDataSet,
  parseNetwork,
  train,
} from "isthmus";

const data = await openDataSet("mnist:train@1000");
const { graph, initialize } = parseNetwork("mlp:32", data);
const architecture = { graph, engine: createOnnxRuntimeEngine() };
const anchors = [];
for (const seed of [0, 1, 2, 3]) {
  anchors.push((await train(architecture, initialize(seed), data, { seed, epochs: 2 })).weights);
}
const heldOut = anchors.splice(3);
const symmetric = { ...architecture, symmetries: await discoverSymmetries(architecture) };
const { star } = await findStar(symmetric, anchors, data, { seed: 0, epochs: 2 });
const { barriers } = await measureStar(symmetric, { star, anchors, heldOut }, data, { seed: 0, points: 3 });
assert.equal(barriers.starHeldOut.pairs.length, 1);

// How often matching finds a planted permutation in multi-layer perceptrons with residual links, the case on which
// git-re-basin finds 10 of 100 (its issue 8).
//
//   npx tsx --conditions=@isthmus/source tools/bench/residual-planted.ts [COUNT] [SEARCH] [RESTARTS]
//
// Prints one JSON object: for each width and kind of link how many of COUNT networks came back bit for bit.
import { createCheckpoint, viewBytes } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { MATCH_SEARCHES, type MatchSearch, matchWeights } from "@isthmus/weight-matching";
import { residualMlp } from "../../test/helpers/residual-mlp.ts";

const [count = "100", search = "best", restarts = "8"] = process.argv.slice(2);
if (!MATCH_SEARCHES.includes(search as MatchSearch)) {
  console.error(`usage: residual-planted.ts [COUNT] [${MATCH_SEARCHES.join("|")}] [RESTARTS]`);
  process.exit(2);
}

const engine = createOnnxRuntimeEngine();

async function recoveredOf(width: number, links: "two layers" | "one layer") {
  const graph = residualMlp(width, links);
  const { spec } = await discoverSymmetries({ graph, engine });
  const missed: number[] = [];
  const started = performance.now();
  for (let seed = 0; seed < Number(count); seed++) {
    const a = createCheckpoint(randomWeights(graph, seed));
    const planted = permute(randomAlignment(spec, seed), a, spec);
    const { alignment } = await matchWeights({ spec, graph: undefined, engine }, [a, planted], {
      seed,
      search: search as MatchSearch,
      restarts: Number(restarts),
    });
    const back = permute(alignment, planted, spec);
    for (const name of a.tensors.keys()) {
      const [left, right] = [await a.read(name), await back.read(name)];
      if (Buffer.compare(viewBytes(left.data), viewBytes(right.data)) === 0) continue;
      missed.push(seed);
      break;
    }
  }
  return {
    width,
    links,
    symmetries: spec.symmetries.length,
    recovered: Number(count) - missed.length,
    missed,
    secondsEach: (performance.now() - started) / 1000 / Number(count),
  };
}

const networks = [];
for (const links of ["two layers", "one layer"] as const) {
  for (const width of [30, 50]) networks.push(await recoveredOf(width, links));
}
console.log(
  JSON.stringify({
    search,
    restarts: Number(restarts),
    planted: Number(count),
    networks,
  }),
);

/**
 * Merges two mixtures of experts whose experts and units are in different orders, and measures what alignment and
 * realigned routers gain. The table in `docs/mixtures.md` is made by:
 *
 *     npx tsx --conditions=@isthmus/source tools/mixtures/merge-mixtures.ts --in FOLDER
 *
 * FOLDER is what `train-mixtures.ts` beside this file wrote. The second mixture is permuted first: whole experts with
 * the rows of their routers, and all units. Prints one JSON line for each network: its loss on the test text of
 * each parent, in nats for each character, and how its routers agree with the parent's on that text.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { at, type Checkpoint, openCheckpoint } from "@isthmus/core";
import { createTextDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, type DataSet } from "@isthmus/graph";
import { average } from "@isthmus/interpolation";
import { compareRouting, discoverRouters, realignRouters } from "@isthmus/mixtures";
import { discoverSymmetries, permute, randomAlignment, wholeSpec } from "@isthmus/symmetry";
import { align } from "@isthmus/weight-matching";
import { networkOfConfig } from "@isthmus/zoo";
import { CONFIG, CONTEXT, readAscii, VOCABULARY } from "./mixture-texts.ts";

const { values: args } = parseArgs({
  options: {
    in: { type: "string", default: "" },
    texts: { type: "string", default: "199" },
    scale: { type: "string", multiple: true, default: ["0.5", "0.8"] },
  },
});
if (args.in === "") throw new Error("give --in FOLDER, which train-mixtures.ts wrote");

const engine = createOnnxRuntimeEngine();
const { graph } = networkOfConfig(CONFIG, { length: CONTEXT });
const architecture = { graph, engine };
const symmetries = await discoverSymmetries(architecture);
const routers = await discoverRouters(architecture);
const open = (name: string) => openCheckpoint(join(args.in, `${name}.safetensors`));
const [base, a, original] = [await open("base"), await open("a"), await open("b")];
const b = permute(randomAlignment(wholeSpec(symmetries), 1), original, wholeSpec(symmetries));

async function openText(name: string, limit = 0): Promise<DataSet> {
  const text = await readAscii(join(args.in, `${name}.txt`));
  return createTextDataSet(text, { name, context: CONTEXT, vocabulary: VOCABULARY, limit });
}
const tests = [await openText("a.test"), await openText("b.test")] as const;
const limit = Number(args.texts);
const calibration = [await openText("a.calibration", limit), await openText("b.calibration", limit)] as const;
const evaluators = await Promise.all(tests.map((data) => createEvaluator(architecture, data)));

const round = (value: number) => Number(value.toFixed(4));

/** Prints the losses of a network, and the agreement with each parent on its own text. */
async function measure(name: string, network: Checkpoint, parents: readonly [Checkpoint, Checkpoint]) {
  const losses: number[] = [];
  const routing: object[] = [];
  for (const [i, data] of tests.entries()) {
    const { loss } = await at(evaluators, i, "text").evaluate(network);
    losses.push(round(loss));
    const { shared, same, divergence } = await compareRouting(
      architecture,
      [at(parents, i, "parent"), network],
      data,
      { routers },
    );
    routing.push({ shared: round(shared), same: round(same), divergence: round(divergence) });
  }
  const mean = round(losses.reduce((sum, loss) => sum + loss / losses.length, 0));
  console.log(JSON.stringify({ name, losses, mean, routing }));
}

await measure("base", base, [a, original]);
await measure("A", a, [a, original]);
await measure("B", b, [a, b]);
await measure("average as they are", average([a, b]), [a, b]);
const started = performance.now();
const { aligned } = await align(architecture, [a, b], { seed: 0, symmetries });
const { network: inA, summary } = at(aligned, 0, "network");
console.error(JSON.stringify({ seconds: (performance.now() - started) / 1000, ...summary.objective }));
await measure("average of the unpermuted", average([a, original]), [a, original]);
const parents = [
  { network: a, data: calibration[0] },
  { network: inA, data: calibration[1] },
];
// Half of both changes is the average; more is task arithmetic.
for (const scale of args.scale.map(Number)) {
  const merged = average([base, a, inA], [1 - 2 * scale, scale, scale]);
  await measure(`aligned, ${scale} of both changes`, merged, [a, inA]);
  for (const keep of ["routers", "scores"] as const) {
    const realigned = await realignRouters(architecture, merged, parents, { keep, routers });
    console.error(JSON.stringify(realigned.routers.map(({ change, products }) => ({ change, products }))));
    await measure(`aligned, ${scale} of both changes, ${keep} kept`, realigned.network, [a, inA]);
  }
}

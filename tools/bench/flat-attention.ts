// What it costs to treat the projections of attention as flat: units of all heads in one list, as hand-written specifications
// have them. Flat matching moves units from head to head, so that the network computes something else.
//
//   npx tsx --conditions=@isthmus/source tools/bench/flat-attention.ts --graph G --a A --b B --test NAME
//     [--mean M --std S] [--points 11] [--seed 0]
//
// Prints one JSON object for each way: loss and error of B after it, the highest loss on the way from A, the barrier, the relative error of its outputs.
import { parseArgs } from "node:util";
import { measureBarrier } from "@isthmus/barrier";
import type { Checkpoint } from "@isthmus/core";
import {
  decodeSpec,
  discoverSymmetries,
  encodeSpec,
  permute,
  type SymmetrySpec,
  verifyAlignment,
} from "@isthmus/symmetry";
import { matchWeights } from "@isthmus/weight-matching";
import { openPair, PAIR_OPTIONS } from "./open-pair.ts";

const { values } = parseArgs({ options: PAIR_OPTIONS });

/** The same without heads: every nested symmetry becomes a plain one over the units of all its cells. */
function flatten(spec: SymmetrySpec): SymmetrySpec {
  const encoded = encodeSpec(spec);
  const parents = new Set(spec.symmetries.flatMap(({ cells }) => cells.flat()));
  const places = new Map<number, number>();
  const symmetries: { name: string; size: number }[] = [];
  for (const { name, size, cells, firstUnit } of spec.symmetries) {
    if (parents.has(firstUnit)) continue;
    for (let i = 0; i < size * cells.length; i++) places.set(firstUnit + i, places.size);
    symmetries.push({ name, size: size * cells.length });
  }
  const place = (unit: number): [number, number] => [places.get(unit) ?? fail(unit), 1];
  const weights = Object.fromEntries(
    Object.entries(encoded.weights).map(([name, weight]) => {
      const fields = spec.weights.get(name)?.fields.map(({ axes, units }, i) => ({
        ...weight.fields?.[i],
        axes,
        units: [...units].map(place),
      }));
      return [name, fields === undefined || fields.length === 0 ? weight : { ...weight, fields }];
    }),
  );
  return decodeSpec({ ...encoded, symmetries, weights }, "flat");
}

function fail(unit: number): never {
  throw new Error(`Cannot flatten as unit ${unit} moves an axis itself: only inner units may`);
}

const usage = "flat-attention.ts --graph G --a A --b B --test NAME [options]";
const { graph, engine, pair, data } = await openPair(values, usage);
const [a, b] = pair;
const { spec } = await discoverSymmetries({ graph, engine });
const seed = Number(values.seed);

async function tell(way: string, network: Checkpoint): Promise<void> {
  const { barrier, points } = await measureBarrier({ graph, engine }, [a, network], data, {
    points: Number(values.points),
  });
  const { passed, maxRelativeError } = await verifyAlignment({ graph, engine }, [b, network], { seed });
  console.log(
    JSON.stringify({
      way,
      lossOfB: points.at(-1)?.loss,
      errorOfB: points.at(-1)?.error,
      highestLoss: Math.max(...points.map(({ loss }) => loss)),
      lossBarrier: barrier.loss.chord,
      errorBarrier: barrier.error.chord,
      keepsTheFunction: passed,
      outputError: maxRelativeError,
    }),
  );
}

await tell("as trained", b);
for (const [way, own] of Object.entries({ "head-aware": spec, flat: flatten(spec) })) {
  const { alignment } = await matchWeights({ spec: own, graph, engine }, [a, b], { seed });
  await tell(way, permute(alignment, b, own));
}
await Promise.all([a.close(), b.close()]);

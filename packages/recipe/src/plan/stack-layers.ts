import { InvariantError } from "@isthmus/core";
import type { LayerRun } from "../layout/infer-layout.ts";
import type { Modules } from "../layout/modules.ts";
import type { Problem } from "../recipe/problem.ts";
import type { Member } from "./groups.ts";
import type { Input, Inputs } from "./open-inputs.ts";
import { alongOf, type Place, type PlacedPart } from "./place.ts";
import { membersOf, type RoledGroup } from "./roles.ts";

/** Layers of one network that a slice takes. */
interface Run {
  readonly member: Member;
  readonly input: Input;
  readonly run: LayerRun;
  /** Index of the first layer. */
  readonly begin: number;
  readonly length: number;
}

/** Part and names of the layers into which slices are stacked. */
interface Stack {
  /** Name of the part of the networks, see `inferModules`. */
  readonly module: string;
  /** Text before the numbers of layers in the result. */
  readonly prefix: string;
}

/** Stacks the layers of slices and numbers them from 0. */
export function stackLayers(
  groups: readonly RoledGroup[],
  inputs: Inputs,
  { module, prefix }: Stack,
): readonly Place[] {
  let first = 0;
  return groups.flatMap((group) => {
    const runs = group.networks.map((member) => runOf(member, inputs, module));
    const base = group.ancestor && runOf(group.ancestor, inputs, module);
    const length = runs[0]?.length ?? 0;
    const all = base === undefined ? runs : [...runs, base];
    const places = Array.from({ length }, (_, layer) =>
      listRests(all, layer).map(
        (rest): Place => ({
          output: `${prefix}${first + layer}${rest}`,
          group,
          along: alongOf(layer, length),
          parts: runs.map((run) => partOf(run, layer, rest)),
          base: base && partOf(base, layer, rest),
        }),
      ),
    );
    first += length;
    return places.flat();
  });
}

/** Lists problems of the ranges of layers of a slice. */
export function findRangeProblems(group: RoledGroup, inputs: Inputs, module?: string): readonly Problem[] {
  const listed = membersOf(group).filter(({ path }) => path.at(-2) === "sources");
  const lengthOf = ({ range }: Member) => (range === undefined ? 0 : range[1] - range[0]);
  const length = Math.max(...listed.map(lengthOf));
  return listed.flatMap((member): readonly Problem[] => {
    const path = [...member.path, "layer_range"];
    const input = inputs.inputOf(member);
    const { source } = input.network;
    const { modules } = input;
    const runs = modules.runsOf(module ?? modules.main);
    const [run] = runs;
    const several = describeSeveral(module, modules);
    if (several !== undefined)
      return [{ path, text: `must be of the layers of one part: "${source}" ${several}` }];
    const [begin, end] = member.range ?? [0, 0];
    if (run === undefined)
      return [
        { path, text: `needs numbered layers: the names of "${source}" have none; use models, not slices` },
      ];
    if (begin >= end) return [{ path, text: `must begin before it ends: it is [${begin}, ${end}]` }];
    if (end > run.count)
      return [
        {
          path,
          text: `must lie in [0, ${run.count}], the layers "${run.prefix}" of "${source}": it is [${begin}, ${end}]`,
        },
      ];
    if (lengthOf(member) === length) return [];
    const text = `must have as many layers as the other sources of its slice: it has ${lengthOf(member)}, and another ${length}`;
    return [{ path, text }];
  });
}

/** Describes the candidates if it is ambiguous which layers a slice means; undefined if it is clear. */
function describeSeveral(module: string | undefined, { main, mains, runsOf }: Modules): string | undefined {
  if (module === undefined && mains.length > 1) {
    const parts = mains.map((name) => `"${name}"`).join(" and ");
    return `has ${parts}; write the slices of each under its name, as "modules: { ${main}: { slices: ... } }"`;
  }
  const runs = runsOf(module ?? main);
  if (runs.length < 2) return undefined;
  const prefixes = runs.map(({ prefix, count }) => `${count} in "${prefix}"`).join(" and ");
  return `has ${prefixes} in its part "${module ?? main}"; merge that part whole, by models`;
}

function runOf(member: Member, inputs: Inputs, module: string): Run {
  const input = inputs.inputOf(member);
  const { modules } = input;
  const [run] = [...modules.runsOf(module), ...modules.runsOf(modules.main)];
  if (run === undefined) throw new InvariantError(`No layers in ${module} of "${input.network.source}"`);
  const [begin, end] = member.range ?? [0, run.count];
  return { member, input, run, begin, length: end - begin };
}

function partOf({ member, input, run, begin }: Run, layer: number, rest: string): PlacedPart {
  return { member, input, tensor: `${run.prefix}${begin + layer}${rest}` };
}

/**
 * Lists the tensors of a layer that at least one network has, by the text after the layer's number, in the
 * order of the first network.
 */
function listRests(runs: readonly Run[], layer: number): readonly string[] {
  const rests = runs.flatMap(({ input, run, begin }) => input.layout.restsOf(run, begin + layer));
  return [...new Set(rests)];
}

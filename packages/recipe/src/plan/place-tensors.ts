import { at } from "@isthmus/core";
import { findModule, isBeforeLayers } from "../layout/modules.ts";
import type { RecipePlaces } from "../recipe/places.ts";
import type { Member } from "./groups.ts";
import type { Inputs } from "./open-inputs.ts";
import { alongRun, type CopyPlace, type Place } from "./place.ts";
import { membersOf, type RoledGroup } from "./roles.ts";
import { findRangeProblems, stackLayers } from "./stack-layers.ts";

/**
 * Finds a place for every tensor of the result: whole networks by their names, slices layer by layer. The
 * base, or the first network if there is no base, provides the names, their order, and the tensors that no
 * part of the recipe names.
 *
 * @throws InputError if a network lacks a part or a range of layers
 */
export function placeTensors(
  groups: readonly RoledGroup[],
  inputs: Inputs,
  places: RecipePlaces,
): readonly (Place | CopyPlace)[] {
  const { template } = inputs;
  const byModule = groupByModule(groups, inputs, places);
  const stacked = new Set<string>();
  return listNames(groups, inputs).flatMap((output): readonly (Place | CopyPlace)[] => {
    const module = template.modules.moduleOf(output);
    const parts = byModule.get(module) ?? byModule.get(ALL);
    if (parts === undefined) return [{ output, copied: template }];
    const [first, last] = [at(parts, 0, "group"), at(parts, parts.length - 1, "group")];
    if (!first.isSlice) return [placeWhole(output, first, inputs)];
    const slicedModule = byModule.has(module) ? module : template.modules.main;
    const [run] = template.modules.runsOf(slicedModule);
    if (run !== undefined && template.layout.placeOf(output)?.run === run) {
      const isNew = stacked.size === stacked.add(slicedModule).size - 1;
      return isNew ? stackLayers(parts, inputs, { module: slicedModule, prefix: run.prefix }) : [];
    }
    const group = comesFirst(output, module, slicedModule) ? first : last;
    return [placeWhole(output, group, inputs)];
  });
}

/**
 * Checks whether a tensor outside the layers of slices is merged like the first slice, not the last. This
 * holds for tensors before these layers, and for all tensors of other parts, such as a tower with its
 * projector, which must come from the same networks to fit each other.
 */
function comesFirst(output: string, module: string, slicedModule: string): boolean {
  return module !== slicedModule || isBeforeLayers(output);
}

/** Key of groups that merge all parts of networks. */
const ALL = "";

function groupByModule(
  groups: readonly RoledGroup[],
  inputs: Inputs,
  places: RecipePlaces,
): ReadonlyMap<string, readonly RoledGroup[]> {
  const byModule = new Map<string, RoledGroup[]>();
  const problems = groups.flatMap((group) => {
    const sought =
      group.module === undefined ? { module: ALL } : findModule(group.module, inputs.template.modules);
    if ("problem" in sought) return [{ path: group.path.slice(0, 2), text: sought.problem }];
    const { module } = sought;
    byModule.set(module, [...(byModule.get(module) ?? []), group]);
    return group.isSlice ? findRangeProblems(group, inputs, module === ALL ? undefined : module) : [];
  });
  places.reject("Cannot plan the recipe as its parts and layers must be there", problems);
  return byModule;
}

/**
 * Lists the names of all tensors, beginning with the names of the template. Layers of slices have names of
 * the template only.
 */
function listNames(groups: readonly RoledGroup[], inputs: Inputs): readonly string[] {
  const names = new Set(inputs.template.network.tensors.keys());
  for (const group of groups) {
    for (const member of membersOf(group)) {
      const { network, layout } = inputs.inputOf(member);
      for (const name of network.tensors.keys())
        if (!group.isSlice || layout.placeOf(name) === undefined) names.add(name);
    }
  }
  return [...names];
}

function placeWhole(output: string, group: RoledGroup, inputs: Inputs): Place {
  const partOf = (member: Member) => ({ member, input: inputs.inputOf(member), tensor: output });
  const { networks, ancestor } = group;
  const inLayer = [inputs.template, ...networks.map(inputs.inputOf)].find(({ layout }) =>
    layout.placeOf(output),
  );
  return {
    output,
    group,
    along: alongRun(inLayer?.layout.placeOf(output)),
    parts: networks.map(partOf),
    base: ancestor && partOf(ancestor),
  };
}

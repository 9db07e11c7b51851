import { closestName } from "@isthmus/core";
import type { MergeMethod, ParameterSpec } from "@isthmus/merging";
import type { Problem } from "../recipe/shape.ts";
import { compileFilter } from "../settings/filter.ts";
import { type Level, listBranches } from "../settings/level.ts";
import { findScalarProblem } from "../settings/scalar.ts";
import type { RoledGroup } from "./roles.ts";

/** A method of networks or of adapters, as far as settings are concerned. */
type Parameterized = Pick<MergeMethod, "name" | "parameters">;

/**
 * Lists settings of a group that can have no effect or no value, before any network is opened: parameters
 * that the method has not, or not there; values of another type or out of range.
 */
export function findSettingProblems(
  { levels, networks, ancestor }: RoledGroup,
  method: Parameterized,
  methods: ReadonlyMap<string, Parameterized>,
): readonly Problem[] {
  const isOnlyBase = ancestor !== undefined && !networks.includes(ancestor);
  const levelsOfBase = isOnlyBase ? ancestor.levels : [];
  return [
    ...levels.flatMap((level) => check(level, "all")),
    ...networks.flatMap((member) => member.levels.flatMap((level) => check(level, "network"))),
    ...levelsOfBase.flatMap((level) => check(level, "base")),
  ];

  function check({ settings, path }: Level, place: "all" | "network" | "base"): readonly Problem[] {
    return Object.entries(settings).flatMap(([name, setting]): readonly Problem[] => {
      const at = [...path, name];
      const spec = Object.hasOwn(method.parameters, name) ? method.parameters[name] : undefined;
      if (spec === undefined) return [{ path: at, text: explainUnknown(name, method, methods) }];
      if (place === "base")
        return [
          { path: at, text: `has no effect as ${method.name} gives the base no "${name}": leave it out` },
        ];
      if (place === "network" && spec.of === "merge") {
        const text = `has no effect here as ${method.name} has one "${name}" for all networks: write it under the parameters of the recipe or of the slice`;
        return [{ path: at, text }];
      }
      return listBranches(setting, at).flatMap(({ path: branch, filter, value }) => [
        ...(filter === undefined ? [] : findFilterProblem(filter, [...branch, "filter"])),
        ...findValueProblems(spec, value, branch),
      ]);
    });
  }
}

function findFilterProblem(filter: string, path: Problem["path"]): readonly Problem[] {
  try {
    compileFilter(filter);
    return [];
  } catch (error) {
    return [{ path, text: `must be a regular expression between its slashes: ${(error as Error).message}` }];
  }
}

function findValueProblems(spec: ParameterSpec, value: unknown, path: Problem["path"]): readonly Problem[] {
  const values = Array.isArray(value) ? value : [value];
  const texts = values.map((item) => {
    if (typeof item === "object") return "is to be searched: run isthmus search, or write a number";
    return findScalarProblem(spec, item);
  });
  return texts.flatMap((text) => (text === undefined ? [] : [{ path, text }])).slice(0, 1);
}

function explainUnknown(
  name: string,
  { name: chosen, parameters }: Parameterized,
  methods: ReadonlyMap<string, Parameterized>,
): string {
  const names = Object.keys(parameters);
  const others = [...methods.values()].filter((method) => Object.hasOwn(method.parameters, name));
  const meant = others.length > 0 ? undefined : closestName(name, names);
  if (meant !== undefined) return `is no parameter of ${chosen}; did you mean "${meant}"?`;
  const list = names.length === 0 ? "it has none" : `it has ${names.join(", ")}`;
  const owners = others.map((method) => method.name).join(", ");
  return `has no effect as it is no parameter of ${chosen}: ${list}${owners === "" ? "" : `; it is one of ${owners}`}`;
}

import { closestName } from "@isthmus/core";
import type { MergeMethod, ParameterSpec } from "@isthmus/merging";
import type { Problem } from "../recipe/problem.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { compileFilter } from "../settings/filter.ts";
import { findBlockValueProblems, type Level, listBranches } from "../settings/level.ts";
import { findScalarProblem, type ScalarProblem } from "../settings/scalar.ts";
import type { SettingsReader } from "../settings/settings-reader.ts";
import type { Inputs } from "./open-inputs.ts";
import type { RoledGroup } from "./roles.ts";

/** The name and parameters of a method, of networks or of adapters. */
type Parameterized = Pick<MergeMethod, "name" | "parameters">;

/**
 * Lists settings of a group that are wrong or cannot have an effect, before any network is opened: parameters
 * that the method lacks, or that it does not read in that place; values of another type or out of range.
 *
 * Parameters without effect are tolerated, unless the name is similar to a parameter of the method and
 * belongs to no other method.
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
      if (spec === undefined) return [{ path: at, ...explainUnknown(name, method, methods) }];
      if (place === "base") {
        const text = `has no effect as ${method.name} gives the base no "${name}": leave it out`;
        return [{ path: at, text, tolerated: "idle parameter" }];
      }
      if (place === "network" && spec.of === "merge") {
        const text = `has no effect here as ${method.name} has one "${name}" for all networks: write it under the parameters of the recipe or of the slice`;
        return [{ path: at, text, tolerated: "idle parameter" }];
      }
      const wrong = listBranches(setting, at).flatMap(({ path: branch, filter, value }) => [
        ...(filter === undefined ? [] : findFilterProblem(filter, [...branch, "filter"])),
        ...findValueProblems(spec, value, branch),
      ]);
      return [...findBlockValueProblems(setting, at), ...wrong];
    });
  }
}

/**
 * Lists the settings of all groups that a method reads, each place once; all other settings are idle
 * parameters.
 */
export function listEffectiveLevels(
  groups: readonly RoledGroup[],
  { parameters }: Parameterized,
): readonly Level[] {
  const keep = (level: Level, isRead: (spec: ParameterSpec) => boolean): Level => {
    const settings = Object.entries(level.settings).filter(([name]) => {
      const spec = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
      return spec !== undefined && isRead(spec);
    });
    return { ...level, settings: Object.fromEntries(settings) };
  };
  const all = groups.flatMap(({ levels, networks }) => [
    ...levels.map((level) => keep(level, () => true)),
    ...networks.flatMap((member) => member.levels.map((level) => keep(level, ({ of }) => of === "network"))),
  ]);
  return [...new Map(all.map((level) => [level.path.join("\n"), level])).values()];
}

/** Recipe and method of a plan, and the reader that read all settings. */
interface ReadSettings {
  readonly recipe: Pick<Recipe, "strict">;
  readonly method: Parameterized;
  readonly reader: SettingsReader;
}

/**
 * Lists settings that had no effect on any tensor, after all tensors were planned: filters, values of
 * gradients, and `strict` of a recipe without filters.
 */
export function findIdleSettings(
  groups: readonly RoledGroup[],
  inputs: Inputs,
  { recipe, method, reader }: ReadSettings,
): readonly Problem[] {
  const levels = listEffectiveLevels(groups, method);
  const hasFilters = levels.some(({ settings }) =>
    Object.values(settings).some((setting) =>
      listBranches(setting, []).some(({ isConditional }) => isConditional),
    ),
  );
  const gradients = findLongGradients(levels, groups, inputs);
  const idle = [...reader.findBlockProblems(), ...reader.findIdleFilters(levels), ...gradients];
  if (!recipe.strict || hasFilters) return idle;
  const text = "copies what no filter names, and there is no filter: write filters, or leave it out";
  return [...idle, { path: ["strict"], text }];
}

/** Lists gradients with more values than any layers that they run along. */
function findLongGradients(
  levels: readonly Level[],
  groups: readonly RoledGroup[],
  inputs: Inputs,
): readonly Problem[] {
  const counts = groups.flatMap(({ networks, isSlice }) =>
    networks.flatMap((member) => {
      if (isSlice && member.range !== undefined) return [member.range[1] - member.range[0]];
      return inputs.inputOf(member).layout.runs.map(({ count }) => count);
    }),
  );
  const most = Math.max(1, ...counts);
  return levels.flatMap(({ settings, path }) =>
    Object.entries(settings).flatMap(([name, setting]) =>
      listBranches(setting, [...path, name]).flatMap(({ value, path: at }): readonly Problem[] => {
        if (!Array.isArray(value) || value.length <= most) return [];
        const text = `has ${value.length} values along at most ${most} layers, so that some never count: give at most ${most}`;
        return [{ path: at, text, tolerated: "long gradient" }];
      }),
    ),
  );
}

function findFilterProblem(filter: string, path: Problem["path"]): readonly Problem[] {
  try {
    compileFilter(filter);
    return [];
  } catch (error) {
    return [{ path, text: `must have an expression between its slashes: ${(error as Error).message}` }];
  }
}

function findValueProblems(spec: ParameterSpec, value: unknown, path: Problem["path"]): readonly Problem[] {
  const values = Array.isArray(value) ? value : [value];
  const problems = values.map((item): ScalarProblem | undefined => {
    if (typeof item === "object") return { text: "is to be searched: run isthmus search, or write a number" };
    return findScalarProblem(spec, item);
  });
  const wrong = problems.filter((problem) => problem !== undefined);
  const worst = wrong.find(({ tolerated }) => tolerated === undefined) ?? wrong[0];
  return worst === undefined ? [] : [{ path, ...worst }];
}

function explainUnknown(
  name: string,
  { name: chosen, parameters }: Parameterized,
  methods: ReadonlyMap<string, Parameterized>,
): Pick<Problem, "text" | "tolerated"> {
  const names = Object.keys(parameters);
  const others = [...methods.values()].filter((method) => Object.hasOwn(method.parameters, name));
  const meant = others.length > 0 ? undefined : closestName(name, names);
  if (meant !== undefined) return { text: `is no parameter of ${chosen}; did you mean "${meant}"?` };
  const list = names.length === 0 ? "it has none" : `it has ${names.join(", ")}`;
  const owners = others.map((method) => method.name).join(", ");
  const text = `has no effect as it is no parameter of ${chosen}: ${list}${owners === "" ? "" : `; it is one of ${owners}`}`;
  return { text, tolerated: "idle parameter" };
}

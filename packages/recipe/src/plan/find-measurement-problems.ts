import { METHODS_WITH_DATA, type MergeMethod, type MergeStatistic } from "@isthmus/merging";
import type { Problem } from "../recipe/problem.ts";
import type { RoledGroup } from "./roles.ts";

/** Name of the function that measures each statistic. */
const MADE_BY: Readonly<Record<MergeStatistic, string>> = { fisher: "measureFisher", grams: "measureGrams" };

/**
 * Lists networks of a group that lack the statistics of data that the method needs, that have statistics
 * which the method ignores, or that are aligned, which would reorder units after the statistics were
 * measured.
 */
export function findMeasurementProblems(
  { networks }: RoledGroup,
  { name, needs }: Pick<MergeMethod, "name" | "needs">,
): readonly Problem[] {
  return networks.flatMap(({ measured, path, align }): readonly Problem[] => {
    const idle = (Object.keys(measured) as MergeStatistic[]).filter((key) => key !== needs);
    const problems = idle.map((key): Problem => {
      const users = [...METHODS_WITH_DATA.values()].filter((method) => method.needs === key);
      const text = `has no effect on ${name}: it is for ${users.map((method) => method.name).join(" and ")}`;
      return { path: [...path, key], text };
    });
    if (needs === undefined) return problems;
    if (measured[needs] === undefined) {
      const text = `has no "${needs}", which ${name} needs of every network: write ${needs}: FILE, made by ${MADE_BY[needs]}()`;
      return [...problems, { path, text }];
    }
    if (!align) return problems;
    const text = `must not stand beside "${needs}", which was measured with units in their own order: align the network first, then measure it`;
    return [...problems, { path: [...path, "align"], text }];
  });
}

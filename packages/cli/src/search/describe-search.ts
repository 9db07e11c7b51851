import type { Recipe, SearchCandidate, SearchResult } from "@isthmus/recipe";
import type { StudyResult } from "@isthmus/study";
import { formatPairs } from "../format/format-table.ts";

/** Reasons why searches end, in words. */
const STOPS: Readonly<Record<string, string>> = { evaluations: "all evaluations are used up" };

/** Describes a search as a result with a table of all merges and a picture of the scores. */
export function describeSearch(
  { best, candidates, stopped, choices }: SearchResult<Recipe>,
  { recipe, goal, seed }: { readonly recipe: string; readonly goal: string; readonly seed: number },
): StudyResult {
  const numbers = Object.keys(best.values);
  const names = [...numbers, ...Object.keys(best.chosen)];
  let leader = Number.NaN;
  const sign = goal === "minimize" ? 1 : -1;
  const rows = candidates.map(({ values, chosen, score }, i) => {
    if (Number.isNaN(leader) || sign * score < sign * leader) leader = score;
    const shown = Number.isFinite(score) ? score : null;
    return {
      evaluation: i + 1,
      score: shown,
      best: Number.isNaN(leader) ? null : leader,
      ...values,
      ...chosen,
    };
  });
  const by = [
    ...(numbers.length > 0 ? ["CMA-ES"] : []),
    ...(choices.length > 0 ? ["probabilities of options"] : []),
  ].join(" and ");
  const end = STOPS[stopped] ?? "there was nothing more to find";
  return {
    kind: "study",
    title: `Search of ${recipe}`,
    description: `${candidates.length} merges were judged by ${by} to ${goal} the score, with seed ${seed}; the search ended as ${end}. The best score is ${best.score.toPrecision(6)}.`,
    tables: [
      {
        name: "candidates",
        title: "Merges in the order in which they were judged",
        columns: [
          { key: "evaluation", title: "Evaluation" },
          { key: "score", title: "Score" },
          { key: "best", title: "Best so far" },
          ...names.map((name) => ({ key: name, title: name })),
        ],
        rows,
      },
      ...describeChoices(choices),
    ],
    figures: [
      {
        title: "Best score so far",
        caption: `Each merge that was judged, and the best until then; the goal is to ${goal} it.`,
        table: "candidates",
        mark: "line",
        x: "evaluation",
        y: "best",
      },
      ...numbers.map((name) => ({
        title: `Score by ${name}`,
        caption: "One mark for each merge that was judged.",
        table: "candidates",
        mark: "dot" as const,
        x: name,
        y: "score",
      })),
    ],
    seed,
  };
}

/** Describes how often each option was tried and won, as a table; none if there are no choices. */
function describeChoices(choices: SearchResult<Recipe>["choices"]): StudyResult["tables"] {
  if (choices.length === 0) return [];
  return [
    {
      name: "choices",
      title: "Options, how often they were tried, and how often they were of the best merge of a generation",
      columns: [
        { key: "choice", title: "Choice" },
        { key: "option", title: "Option" },
        { key: "tried", title: "Tried" },
        { key: "won", title: "Won" },
        { key: "probability", title: "Probability at the end" },
      ],
      rows: choices.flatMap(({ path, options }) => options.map((option) => ({ choice: path, ...option }))),
    },
  ];
}

/** Formats the best merge of a search; marks inside options that it does not have are left out. */
export function formatSearch(
  { description }: StudyResult,
  { values, chosen, score }: SearchCandidate<Recipe>,
  choices: SearchResult<Recipe>["choices"],
): string {
  const isInBest = (path: string): boolean =>
    choices.every(({ path: outer, options }) => {
      const inside = `${outer}.choose.`;
      const position = options.findIndex(({ option }) => option === chosen[outer]);
      return (
        !path.startsWith(inside) ||
        path.startsWith(`${inside}${position}.`) ||
        path === `${inside}${position}`
      );
    });
  const numbers = Object.entries(values)
    .filter(([path]) => isInBest(path))
    .map(([path, value]): [string, string] => [path, value.toPrecision(6)]);
  const options = choices
    .filter(({ path }) => isInBest(path))
    .map(({ path, options }): [string, string] => [
      path,
      `${chosen[path]} (${options.map(({ option, won }) => `${option} won ${won}`).join(", ")})`,
    ]);
  return [description, formatPairs([["score", score.toPrecision(6)], ...numbers, ...options])].join("\n");
}

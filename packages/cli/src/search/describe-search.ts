import type { Recipe, SearchCandidate, SearchResult } from "@isthmus/recipe";
import type { StudyResult } from "@isthmus/study";
import { formatPairs } from "../format/format-table.ts";

/** Reasons why searches end, in words. */
const STOPS: Readonly<Record<string, string>> = { evaluations: "all evaluations are used up" };

/** Describes a search as a result with a table of all merges and a picture of the scores. */
export function describeSearch(
  { best, candidates, stopped }: SearchResult<Recipe>,
  { recipe, goal, seed }: { readonly recipe: string; readonly goal: string; readonly seed: number },
): StudyResult {
  const names = Object.keys(best.values);
  let leader = Number.NaN;
  const sign = goal === "minimize" ? 1 : -1;
  const rows = candidates.map(({ values, score }, i) => {
    if (Number.isNaN(leader) || sign * score < sign * leader) leader = score;
    const shown = Number.isFinite(score) ? score : null;
    return { evaluation: i + 1, score: shown, best: Number.isNaN(leader) ? null : leader, ...values };
  });
  const end = STOPS[stopped] ?? "there was nothing more to find";
  return {
    kind: "study",
    title: `Search of ${recipe}`,
    description: `${candidates.length} merges were judged by CMA-ES to ${goal} the score, with seed ${seed}; the search ended as ${end}. The best score is ${best.score.toPrecision(6)}.`,
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
      ...names.map((name) => ({
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

/** Formats the best merge of a search. */
export function formatSearch(
  { description }: StudyResult,
  { values, score }: SearchCandidate<Recipe>,
): string {
  const numbers = Object.entries(values).map(([name, value]): [string, string] => [
    name,
    value.toPrecision(6),
  ]);
  return [description, formatPairs([["score", score.toPrecision(6)], ...numbers])].join("\n");
}

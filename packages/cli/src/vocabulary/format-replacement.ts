import type { ReplacementPlan, ReplaceVocabularyResult, TokenDistances } from "@isthmus/recipe";
import { formatBytes, formatPairs, formatTable } from "../format/format-table.ts";
import { plural } from "../format/plural.ts";
import type { TextScore } from "./measure-text.ts";

/** Number of tokens that are listed as the worst. */
const LISTED = 10;

/** Scores of the model with its old and its new tokenizer. */
export interface ReplacementScores {
  /** Name of the text. */
  readonly data: string;
  /** Number of bytes of the text. */
  readonly bytes: number;
  /** Score with the old tokenizer. */
  readonly before: TextScore;
  /** Score with the new tokenizer. */
  readonly after: TextScore;
}

/** Formats the outcome of a replacement: distances of new tokens, the worst of them, scores, and files. */
export function formatReplacement(
  result: ReplaceVocabularyResult,
  scores: ReplacementScores | undefined,
): string {
  const parts = result.distances.filter(({ tokens }) => tokens.length > 0).flatMap(formatDistances);
  if (scores !== undefined) parts.push(formatScores(scores));
  const { output } = result;
  return [
    ...parts,
    formatPairs([...planPairs(result), ["wrote", `${output.path}, ${formatBytes(output.bytes)}`]]),
  ].join("\n\n");
}

/** Formats what a replacement would do, from vocabularies and headers alone. */
export function formatReplacementPlan(plan: ReplacementPlan): string {
  const tensors = plan.tensors.map(({ name, shape, donor }): readonly [string, string] => [
    "rows of",
    `${name}, ${shape.join(" x ")}${donor === null ? "" : `, by ${donor} of the other model`}`,
  ]);
  return formatPairs([...planPairs(plan), ...tensors]);
}

function planPairs(plan: ReplacementPlan): readonly (readonly [string, string])[] {
  const { tokensBefore, tokens, size, shared, fresh, unknown, method } = plan;
  const share = ((100 * shared) / tokens).toFixed(1);
  return [
    ["model", plan.model],
    ["tokenizer", `of ${plan.donor}`],
    [
      "tokens",
      `${tokensBefore} before, ${tokens} after${size === tokens ? "" : `, in ${size} rows with padding`}`,
    ],
    ["copied", `${plural(shared, "row", "rows")}, ${share} % of the tokens`],
    ["new", `${plural(fresh, "row", "rows")} by ${method}`],
    ...(unknown === 0
      ? []
      : [["mean row", `${plural(unknown, "token", "tokens")} without a row in the other model`] as const]),
  ];
}

function formatDistances({ tensor, quantiles, mean, tokens }: TokenDistances): readonly string[] {
  const right = { align: "right" } as const;
  const names = ["least", "10 %", "25 %", "median", "75 %", "90 %", "most"];
  const shares = formatTable(
    [...names.map((title) => ({ title, ...right })), { title: "mean", ...right }],
    [[...quantiles, mean].map(formatShare)],
  );
  const worst = formatTable(
    [{ title: "worst" }, { title: "id", ...right }, { title: "left", ...right }],
    tokens
      .slice(0, LISTED)
      .map(({ id, token, residual }) => [JSON.stringify(token), String(id), formatShare(residual)]),
  );
  return [
    `What the combinations leave of ${plural(tokens.length, "new token", "new tokens")} in "${tensor}" of the other model (share of the norm):\n${shares}`,
    worst,
  ];
}

function formatShare(share: number): string {
  return `${(100 * share).toPrecision(3)} %`;
}

function formatScores({ data, bytes, before, after }: ReplacementScores): string {
  const right = { align: "right" } as const;
  const row = (name: string, { tokens, natsPerToken, natsPerByte, perplexityPerByte }: TextScore) => [
    name,
    String(tokens),
    natsPerToken.toFixed(4),
    natsPerByte.toFixed(4),
    perplexityPerByte.toFixed(4),
  ];
  return formatTable(
    [
      { title: `on ${data}, ${bytes} bytes` },
      { title: "tokens", ...right },
      { title: "nats a token", ...right },
      { title: "nats a byte", ...right },
      { title: "perplexity a byte", ...right },
    ],
    [row("with its own tokenizer", before), row("with the new one", after)],
  );
}

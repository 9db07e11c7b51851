import {
  type DataSet,
  describeScoring,
  type Filling,
  formatScaling,
  type Graph,
  planFeeds,
  type Scaling,
} from "@isthmus/graph";
import type { ReadArchitecture, TextEncoding } from "@isthmus/zoo";

/** Words for the way to fill in an input that the data do not hold. */
const FILLINGS: Readonly<Record<Filling, string>> = {
  ones: "by ones",
  zeros: "by zeros",
  positions: "by counting",
};

/** Returns the encoding of texts as tokens that the folder of an architecture's networks describes. */
export function encodingOf({ model, encoding }: Pick<ReadArchitecture, "model" | "encoding">): {
  readonly encoding: TextEncoding | undefined;
} {
  return { encoding: model ?? encoding };
}

/**
 * Describes in full sentences the surprising parts of how a graph is run on data: which inputs are filled in,
 * which data are not read, how bytes are scaled, and which value is scored. For a graph with one input and
 * one output of logits the list is mostly empty.
 * | @param attempt - verb for errors, for example `measure`
 * @param mean - value of `--mean`; if there is one, no other scaling is proposed
 * @param encoding - encoding of texts as tokens, by the folder of the networks
 * @throws InputError if the data do not fit the graph
 */
export function describeFeeds(
  attempt: string,
  graph: Graph,
  data: DataSet,
  {
    mean,
    encoding,
  }: { readonly mean?: Scaling["mean"] | undefined; readonly encoding?: TextEncoding | undefined } = {},
): string[] {
  const { filled, unread } = planFeeds(attempt, graph, data, 1);
  const lines: string[] = [];
  if (filled.length > 0) {
    const inputs = filled.map(({ name, filling }) => `${name} ${FILLINGS[filling]}`);
    lines.push(`Not in ${data.name}, filled in: ${inputs.join(", ")}.`);
  }
  if (unread.length > 0) {
    const mask = unread.includes("attention_mask") ? "; what it masks is left out of the loss only" : "";
    lines.push(`In ${data.name}, but not read by the graph: ${unread.join(", ")}${mask}.`);
  }
  lines.push(...(data.notes ?? []), ...describeScaling(data, mean !== undefined));
  if (data.vocabulary !== undefined && encoding?.vocabulary === undefined) {
    lines.push(
      `Characters of ${data.name} are numbered in the order of the text itself, as no model folder with a vocabulary was given; for networks that number them in another way use that folder, or tokens:FILE.`,
    );
  }
  if (data.labelling === "next") lines.push("Each token is predicted from those before it.");
  if (data.labelling === "position") lines.push("Each position is compared with its own label.");
  lines.push(...describeScoring(graph, data));
  return lines;
}

/** Describes how bytes are scaled and, if the scale is the usual one of the data, how to choose another. */
function describeScaling({ name, scaling }: DataSet, isChosen: boolean): string[] {
  if (scaling === undefined) return [];
  const words = formatScaling(scaling);
  const other =
    words === "byte / 255"
      ? "such as (byte / 255 - m) / s, add --mean m --std s"
      : "such as byte / 255, add --mean 0 --std 1";
  const hint = isChosen ? "" : `; for networks trained on others, ${other}`;
  return [`Bytes of ${name} are fed as ${words}${hint}.`];
}

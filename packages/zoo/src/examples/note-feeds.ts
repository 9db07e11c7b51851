import { type DataSet, describeScoring, type Filling, formatScaling, planFeeds } from "@isthmus/graph";
import type { ReadArchitecture } from "../models/open-architecture.ts";

/** Words for the way to fill in an input that the data do not hold. */
const FILLINGS: Readonly<Record<Filling, string>> = {
  ones: "by ones",
  zeros: "by zeros",
  positions: "by counting",
};

/** Receiver of notes on examples, see {@link noteFeeds}. */
export interface FeedsReading {
  /** Whether the user has chosen the scale of bytes, so that no other scale is proposed. */
  readonly isScaled: boolean;
  /** Receives each note, a full sentence. @defaultValue nothing is noted */
  readonly onNote?: ((text: string) => void) | undefined;
}

/**
 * Notes the surprising parts of how a graph is run on data: which inputs are filled in, which data are not
 * read, how bytes are scaled, and which value is scored. For a graph with one input and one output of logits
 * there are mostly no notes.
 * @param attempt - verb for errors, for example `measure`
 * @throws InputError if the data do not fit the graph
 */
export function noteFeeds(
  attempt: string,
  { graph, model, encoding = model }: Pick<ReadArchitecture, "graph" | "model" | "encoding">,
  data: DataSet,
  { isScaled, onNote = () => {} }: FeedsReading,
): void {
  const { filled, unread } = planFeeds(attempt, graph, data, 1);
  if (filled.length > 0) {
    const inputs = filled.map(({ name, filling }) => `${name} ${FILLINGS[filling]}`);
    onNote(`Not in ${data.name}, filled in: ${inputs.join(", ")}.`);
  }
  if (unread.length > 0) {
    const mask = unread.includes("attention_mask") ? "; what it masks is left out of the loss only" : "";
    onNote(`In ${data.name}, but not read by the graph: ${unread.join(", ")}${mask}.`);
  }
  for (const line of [...(data.notes ?? []), ...describeScaling(data, isScaled)]) onNote(line);
  if (data.vocabulary !== undefined && encoding?.vocabulary === undefined) {
    onNote(
      `Characters of ${data.name} are numbered in the order of the text itself, as no model folder with a vocabulary was given; for networks that number them in another way use that folder, or tokens:FILE.`,
    );
  }
  if (data.labelling === "next") onNote("Each token is predicted from those before it.");
  if (data.labelling === "position") onNote("Each position is compared with its own label.");
  for (const line of describeScoring(graph, data)) onNote(line);
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

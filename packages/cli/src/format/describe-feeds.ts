import { type DataSet, type Filling, type Graph, logitsCandidates, planFeeds } from "@isthmus/graph";

/** What stands for what the data do not hold, in words. */
const FILLINGS: Readonly<Record<Filling, string>> = {
  ones: "by ones",
  zeros: "by zeros",
  positions: "by counting",
};

/**
 * Says in full sentences what is not plain about how a graph is run on data: what is filled in, what is not read, and which of several
 * outputs is scored; nothing where there is one input and one output.
 *
 * @param attempt - what is attempted, for errors, for example `measure`
 * @throws InputError if the data do not fit the graph
 */
export function describeFeeds(attempt: string, graph: Graph, data: DataSet): string[] {
  const { filled, unread } = planFeeds(attempt, graph, data, 1);
  const lines: string[] = [];
  if (filled.length > 0) {
    const told = filled.map(({ name, filling }) => `${name} ${FILLINGS[filling]}`);
    lines.push(`Not in ${data.name}, filled in: ${told.join(", ")}.`);
  }
  if (unread.length > 0) {
    const mask = unread.includes("attention_mask") ? "; what it masks is left out of the loss only" : "";
    lines.push(`In ${data.name}, but not read by the graph: ${unread.join(", ")}${mask}.`);
  }
  const { scaling } = data;
  if (scaling !== undefined && !(scaling.mean === 0 && scaling.std === 1)) {
    lines.push(
      `Bytes of ${data.name} are fed as (byte / 255 - ${scaling.mean}) / ${scaling.std}; for networks trained on others, such as byte / 255, add --mean 0 --std 1.`,
    );
  }
  if (data.labelling === "next") lines.push("Each token is predicted from those before it.");
  if (data.labelling === "position") lines.push("Each position is held against its own label.");
  const [scored, ...others] = logitsCandidates(graph);
  if (scored !== undefined && others.length > 0) {
    lines.push(`Scored is output "${scored}"; --logits takes another: ${others.join(", ")}.`);
  }
  return lines;
}

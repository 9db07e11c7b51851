import { type CompletedOption, type CompletedVerb, listCompleted } from "./completed-verb.ts";
import type { Offer } from "./offer.ts";
import { fillTemplate, lastWord, quoteShell } from "./template.ts";

/** Writes the script that completes the command in fish. */
export function formatFishScript(program: CompletedVerb): string {
  const verbs = listCompleted(program);
  const grouping = verbs.filter(({ words, below }) => words !== "" && below.length > 0);
  return fillTemplate("fish", {
    grouping: `set -g __isthmus_grouping ${grouping.map(({ words }) => quoteShell(words)).join(" ")}`,
    verbs: verbs.map(formatVerb).join("\n"),
  });
}

function formatVerb({ words, options, offer, below }: CompletedVerb): string {
  const condition = `complete -c isthmus -n ${quoteShell(`__isthmus_at ${quoteShell(words)}`)}`;
  const names = below.map((one) => `-a ${quoteShell(lastWord(one))} -d ${quoteShell(one.summary)}`);
  const operands = offer === undefined ? [] : [`-a ${formatOffer(offer)}`];
  const parts = [...names, ...operands, ...options.map(formatOption)];
  return parts.map((part) => `${condition} ${part}`).join("\n");
}

function formatOption({ names, help, offer, isOptional }: CompletedOption): string {
  const forms = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const value = offer === undefined ? [] : [isOptional ? "-f" : "-x", `-a ${formatOffer(offer)}`];
  return [...forms, `-d ${quoteShell(help)}`, ...value].join(" ");
}

/** Writes candidates as a list that fish reads, in which parentheses call functions. */
function formatOffer({ words, files }: Offer): string {
  const starts = words.filter((word) => word.endsWith(":"));
  const after = starts.length === 0 ? [] : [`(__isthmus_after ${starts.join(" ")})`];
  const endings = files === "folders" ? [] : [files ?? []].flat();
  const named = files === undefined ? [] : [`(${["__isthmus_files ''", ...endings].join(" ")})`];
  return quoteShell([...words, ...after, ...named].join(" "));
}

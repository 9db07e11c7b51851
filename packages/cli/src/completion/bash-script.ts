import { type CompletedOption, type CompletedVerb, listCompleted } from "./completed-verb.ts";
import type { Offer } from "./offer.ts";
import { fillTemplate, lastWord, quoteShell } from "./template.ts";

/** Writes the script that completes the command in bash. */
export function formatBashScript(program: CompletedVerb): string {
  const verbs = listCompleted(program);
  const nameList = (names: readonly string[]): string => `names='${names.join(" ")}'`;
  const grouping = verbs.filter(({ below }) => below.length > 0);
  const values = verbs.flatMap(({ words, options }) =>
    options.flatMap(({ names, ...option }) =>
      names.map((name): Arm => [`${words} ${name}`, formatValue(option)]),
    ),
  );
  return fillTemplate("bash", {
    verbs: formatArms(grouping.map(({ words, below }) => [words, nameList(below.map(lastWord))])),
    options: formatArms(
      verbs.map(({ words, options }) => [words, nameList(options.flatMap(({ names }) => names))]),
    ),
    values: formatArms(values),
    arguments: formatArms(verbs.map(({ words, offer }) => [words, offer ? formatOffer(offer) : ""])),
  });
}

/** A text that `case` compares with, and what is done for it: an empty text for nothing. */
type Arm = readonly [text: string, action: string];

/** Formats the arms of a `case`: texts for which the same is done share an arm. */
function formatArms(arms: readonly Arm[]): string {
  const texts = new Map<string, string[]>();
  for (const [text, action] of arms) {
    if (action !== "") texts.set(action, [...(texts.get(action) ?? []), quoteShell(text)]);
  }
  return [...texts].map(([action, same]) => `    ${same.join("|")}) ${action} ;;`).join("\n");
}

/** Formats what is done for the value of an option; an empty text if it takes none. */
function formatValue({ offer, isVariadic }: Omit<CompletedOption, "names">): string {
  return offer === undefined ? "" : `${formatOffer(offer)}${isVariadic ? " many=1" : ""}`;
}

function formatOffer({ words, files }: Offer): string {
  const offered = `offered='${words.join(" ")}'`;
  return files === undefined ? offered : `${offered} files='${[files].flat().join(" ")}'`;
}

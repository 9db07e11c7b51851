// Makes a page for each verb of the command from what its help is made of.

import { headingOf, isRare, sortForHelp } from "../../packages/cli/src/options/help-groups.ts";
import type { CreateVerb } from "../../packages/cli/src/verb.ts";
import { verbGroups } from "../../packages/cli/src/verbs.ts";
import { escapeWords } from "./api/doc-comment.ts";
import type { SitePage } from "./site-page.ts";

/** Pages of the verbs of one purpose. */
export interface VerbPages {
  /** The purpose, as the help says it. */
  readonly purpose: string;
  /** A page for each verb. */
  readonly pages: readonly SitePage[];
}

type VerbCommand = ReturnType<CreateVerb>;
type Option = VerbCommand["options"][number];

/** Makes the pages of all verbs, by their purposes. */
export async function makeVerbPages(): Promise<VerbPages[]> {
  const groups: VerbPages[] = [];
  for (const [purpose, verbs] of Object.entries(verbGroups())) {
    const pages: SitePage[] = [];
    for (const [name, { summary, load }] of Object.entries(verbs)) {
      const command = (await load())(async () => {}).description(`${summary}.`);
      const text = formatVerb(command, ["isthmus", name], "#");
      pages.push({
        page: `reference/verbs/${name}`,
        folder: "docs/reference/verbs",
        source: undefined,
        text,
        isGenerated: true,
      });
    }
    groups.push({ purpose, pages });
  }
  return groups;
}

/** Formats a verb, and the verbs below it one heading deeper. */
function formatVerb(command: VerbCommand, words: readonly string[], heading: string): string {
  const help = command.createHelp();
  const { examples, notes } = readAfterHelp(command);
  const usage = [...words, help.commandUsage(command).split(" ").slice(1).join(" ")].join(" ").trim();
  const shown = examples.map(({ purpose, line }) => `# ${purpose}\n${line}`).join("\n");
  const below = command.commands.map((verb) => formatVerb(verb, [...words, verb.name()], `${heading}#`));
  const names = command.registeredArguments.map(
    (argument) => `- \`${help.argumentTerm(argument)}\`: ${escapeWords(help.argumentDescription(argument))}`,
  );
  return [
    `${heading} ${words.join(" ")}`,
    escapeWords(command.description()),
    `\`\`\`text\n${usage}\n\`\`\``,
    names.join("\n"),
    shown === "" ? "" : `\`\`\`sh\n${shown}\n\`\`\``,
    ...(command.commands.length > 0 ? [] : formatOptions(command, `${heading}#`)),
    ...notes.map(formatNote),
    ...below,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function formatOptions(command: VerbCommand, heading: string): string[] {
  const help = command.createHelp();
  const byHeading = new Map<string, Option[]>();
  for (const option of sortForHelp(help.visibleOptions(command))) {
    const listed = byHeading.get(headingOf(option)) ?? [];
    byHeading.set(headingOf(option), [...listed, option]);
  }
  return [...byHeading].map(([title, options]) => {
    const lines = options.map((option) => {
      const rare = isRare(option) ? " *Few need it.*" : "";
      return `- \`${option.flags}\`: ${escapeWords(help.optionDescription(option))}${rare}`;
    });
    return `${heading} ${title.replace(/:$/, "")}\n\n${lines.join("\n")}`;
  });
}

/** Reads what the help of a verb shows behind its options: examples, and other notes. */
function readAfterHelp(command: VerbCommand): {
  readonly examples: readonly { readonly purpose: string; readonly line: string }[];
  readonly notes: readonly string[];
} {
  const texts: string[] = [];
  command.configureOutput({ writeOut: (text) => texts.push(text) }).outputHelp();
  // The first text is the list of options.
  const whole = texts.slice(1).join("\n");
  const examples = [...whole.matchAll(/^ {2}# (.+)\n {2}(\S.*)$/gm)].map(([, purpose = "", line = ""]) => ({
    purpose,
    line,
  }));
  const rest = whole.replace(/^Examples:$/m, "").replace(/^ {2}# .+\n {2}\S.*$/gm, "");
  const notes = rest
    .split(/\n\s*\n(?=\S)/)
    .map((note) => note.trimEnd().replace(/^\n+/, ""))
    .filter((note) => note.trim() !== "");
  return { examples, notes };
}

/** Formats a note: columns stay as they are, sentences become a paragraph. */
function formatNote(note: string): string {
  return /^ {2}/m.test(note) ? `\`\`\`text\n${note}\n\`\`\`` : escapeWords(note);
}

// Makes the pages of errors: one about all of them, and one for each package with its messages, their rules and what to do.
import { createHash } from "node:crypto";
import { readItem } from "./api/api-item.ts";
import { escapeWords, formatWords } from "./api/doc-comment.ts";
import { ERROR_ADVICE } from "./error-advice.ts";
import { type ErrorMessage, listErrorMessages } from "./error-messages.ts";
import { findWords, listExplained } from "./first-errors.ts";
import { REPOSITORY } from "./project.ts";
import type { SitePage } from "./site-page.ts";

/** What to do about the errors of each class. */
const CLASSES: Readonly<Record<string, string>> = {
  UsageError: "Change the command line, or the arguments of the call: the message says which.",
  OutOfRangeError: "Choose a value within the range that the message says.",
  InputError: "Look at the file, the data set or the value that the message names.",
  FormatError: "Get the file again: what wrote it, or brought it, did not finish or wrote something else.",
  UnsupportedError: "Convert or export it otherwise: the message says what is supported.",
  MismatchError: "Name files that belong together: the message names the tensors that contradict each other.",
  EngineError: "See what the engine says; another engine, fewer threads or smaller batches may run.",
  DivergenceError:
    "Lower the learning rate or the step, or clip gradients; what was saved before is as it was.",
};

/** File that declares the classes of errors. */
const DECLARED = "packages/core/src/errors.ts";
/** Classes of errors that end the command with exit code 1; all others end it with 2. */
const FAILURES = ["EngineError", "DivergenceError"];

/** Makes all pages of errors, the one about all of them first. */
export function makeErrorPages(): SitePage[] {
  const messages = listErrorMessages();
  const owners = [...new Set(messages.map(({ owner }) => owner))];
  const explained = new Map(listExplained().map(({ message, link }) => [findWords(message, messages), link]));
  return [
    pageOf("reference/errors", formatOverview(messages, owners)),
    ...owners.map((owner) =>
      pageOf(
        `reference/errors/${owner}`,
        [
          `# Errors of ${owner}`,
          `Messages of [\`@isthmus/${owner}\`](packages/${owner}) with the names of values between ‹ and ›. [Errors](docs/reference/errors.md) says what each class means.`,
          ...messages
            .filter((message) => message.owner === owner)
            .map((message) => formatMessage(message, explained.get(message))),
        ].join("\n\n"),
      ),
    ),
  ];
}

function pageOf(page: string, text: string): SitePage {
  // Links between pages of errors are those of files that stand for them, though there are none.
  return { page, folder: "", source: `docs/${page}.md`, text, isGenerated: true };
}

function formatOverview(messages: readonly ErrorMessage[], owners: readonly string[]): string {
  const rows = Object.entries(CLASSES).map(([name, advice]) => {
    const { comment } = readItem(name, { path: DECLARED, local: name });
    const meaning = formatWords(comment.text, (other) => `\`${other}\``).replace(/\s+/g, " ");
    return `| \`${name}\` | ${FAILURES.includes(name) ? 1 : 2} | ${meaning} | ${advice} |`;
  });
  const counts = owners.map((owner) => {
    const count = messages.filter((message) => message.owner === owner).length;
    return `| [${owner}](docs/reference/errors/${owner}.md) | ${count} |`;
  });
  return [
    "# Errors",
    'Every message says what was attempted, on what, the rule, the value, and what to do: `Cannot read "x.safetensors" as the header must fit the file: it claims 99 bytes of 50`. The search of this site finds a message by its words; leave out names and numbers, which are yours.',
    "A message that begins with `Unexpected failure` is a defect of the program: `ISTHMUS_DEBUG=1` shows where it happened.",
    ["| class | exit code | what it means | what to do |", "|---|---|---|---|", ...rows].join("\n"),
    `In a script \`isIsthmusError(error, "InputError")\` and \`isUsageError(error)\` of [\`@isthmus/core\`](packages/core) tell them apart.`,
    "## By package",
    ["| package | messages |", "|---|---|", ...counts].join("\n"),
  ].join("\n\n");
}

function formatMessage({ type, words, path }: ErrorMessage, explanation: string | undefined): string {
  const anchor = createHash("sha256").update(`${type} ${words}`).digest("hex").slice(0, 10);
  const { rule, next } = takeApart(words);
  const { advice } = ERROR_ADVICE.find((entry) => entry.words.test(words)) ?? {};
  return [
    `### ${escapeHeading(words)} {#e-${anchor}}`,
    [
      `- \`${type}\`, exit code ${FAILURES.includes(type) ? 1 : 2}; [source](${REPOSITORY}/blob/main/${path})`,
      ...(rule === undefined ? [] : [`- **Rule:** ${escapeHeading(rule)}`]),
      ...(next === undefined ? [] : [`- **What to do:** ${escapeHeading(next)}`]),
      ...(advice === undefined ? [] : [`- ${advice}`]),
      ...(explanation === undefined ? [] : [`- [What lies behind it](${explanation})`]),
    ].join("\n"),
  ].join("\n\n");
}

/** Takes a message apart: "Cannot ATTEMPT as RULE: VALUE; WHAT TO DO". */
function takeApart(words: string): { readonly rule: string | undefined; readonly next: string | undefined } {
  const [, rule] = /^Cannot .*? as (.+?)(?:: |; |$)/.exec(words) ?? [];
  const [, behind] = /; ([^;]+)$/.exec(words) ?? [];
  const [, advised] =
    /: ((?:add|choose|convert|export|give|leave|lower|make|merge|name|remove|use|write)\b[^;]*)/.exec(
      words,
    ) ?? [];
  return { rule, next: behind ?? advised };
}

/** Words of a message in Markdown, as they are. */
function escapeHeading(words: string): string {
  return escapeWords(words.replace(/[\\`*_[\]{}#|]/g, "\\$&").replace(/\n/g, " "));
}

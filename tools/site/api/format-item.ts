import { REPOSITORY } from "../project.ts";
import type { ApiItem, ApiMember } from "./api-item.ts";
import { type DocComment, formatWords } from "./doc-comment.ts";

/** Makes a link of a name that a comment mentions. */
type Link = (name: string) => string;

/** Formats all that the reference says about an exported name. */
export function formatItem(
  { name, anchor, path, comment, signature, members }: ApiItem & { readonly anchor: string },
  link: Link,
): string {
  return [
    `### ${name} {#${anchor}}`,
    formatWords(comment.text, link),
    `\`\`\`ts\n${signature}\n\`\`\``,
    formatTagged(comment, link),
    members.map((member) => formatMember(member, link)).join("\n"),
    ...(comment.tags.get("example") ?? []),
    `[Source](${REPOSITORY}/blob/main/${path})`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** Formats parameters, the result, errors and sources as one list. */
function formatTagged({ tags }: DocComment, link: Link): string {
  const words = (tag: string): string[] =>
    (tags.get(tag) ?? []).map((text) => oneLine(formatWords(text, link)));
  const params = [...words("param"), ...words("typeParam")].map((text) => {
    const [, name = "", rest = ""] = /^(\S+)\s*-?\s*([\s\S]*)$/.exec(text) ?? [];
    return `- \`${name}\`: ${rest}`;
  });
  const list = (title: string, texts: readonly string[]): string[] =>
    texts.map((text) => `- **${title}** ${text}`);
  return [
    ...params,
    ...list("Default", words("defaultValue")),
    ...list("Returns", words("returns")),
    ...list("Throws", words("throws")),
    ...list("See", words("see")),
  ].join("\n");
}

function formatMember({ signature, comment }: ApiMember, link: Link): string {
  const [standard] = comment.tags.get("defaultValue") ?? [];
  const described = oneLine(formatWords(comment.text, link));
  const after = standard === undefined ? "" : ` Default: ${oneLine(formatWords(standard, link))}.`;
  return `- \`\`${signature.startsWith("`") ? " " : ""}${signature}\`\`${described === "" ? "" : `: ${described}`}${after}`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").trim();
}

/** A doc comment, taken apart. */
export interface DocComment {
  /** Text before the first tag. */
  readonly text: string;
  /** Texts of each tag by its name, such as `param`, in the order of the comment. */
  readonly tags: ReadonlyMap<string, readonly string[]>;
}

/** Takes a doc comment apart into its text and its tags. */
export function parseDocComment(comment: string): DocComment {
  const lines = comment.replace(/^\/\*\*[ \t]*|[ \t]*\*\/$/g, "").replace(/^[ \t]*\* ?/gm, "");
  const [text = "", ...parts] = lines.split(/(?:^|(?<=\. ))@(?=[a-zA-Z]+\b)/m);
  const tags = new Map<string, string[]>();
  for (const part of parts) {
    const [, name = "", words = ""] = /^([a-zA-Z]+)\s*([\s\S]*)$/.exec(part) ?? [];
    tags.set(name, [...(tags.get(name) ?? []), words.trim()]);
  }
  return { text: text.trim(), tags };
}

/** Words of a doc comment as Markdown: links by `link`, and nothing that a page would take for HTML. */
export function formatWords(words: string, link: (name: string) => string): string {
  return words
    .split(/(`[^`]*`|\{@link [^}]+\})/)
    .map((part, i) => {
      if (i % 2 === 0) return escapeWords(part);
      const [, name] = /^\{@link ([^}|\s]+)[^}]*\}$/.exec(part) ?? [];
      return name === undefined ? part : link(name);
    })
    .join("");
}

/** Plain words in Markdown, without what would be HTML or an expression of Vue there. */
export function escapeWords(words: string): string {
  return words.replace(/<(?=[a-zA-Z/!])/g, "\\<").replace(/\{\{/g, "{\u200b{");
}

// Reads a guide of docs/start: the files that it tells to save, and its commands with what they print.

/** Files that a guide tells to save, by their names: each is the block after a paragraph that says "as `NAME`". */
export function savedFiles(text) {
  const blocks = text.matchAll(/ as `([\w-]+\.\w+)`[^\n]*\n(?:[^\n]+\n)*\n```\w+\n([\s\S]*?)^```$/gm);
  return new Map([...blocks].map(([, name, content]) => [name, content]));
}

/** Blocks of commands of a guide, each with the block of text that follows it, if one does before the next commands. */
export function guideSteps(text) {
  const blocks = text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm);
  const steps = [];
  for (const [, language, content] of blocks) {
    if (language === "sh") steps.push({ commands: content.trimEnd().split("\n") });
    else if (language === "text") steps.at(-1).printed ??= content;
  }
  return steps;
}

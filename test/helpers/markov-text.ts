import { createRandom } from "@isthmus/core";

/** What may follow each part of a sentence. */
const GRAMMAR: Readonly<Record<string, readonly string[]>> = {
  "": ["the ", "a ", "every ", "no "],
  article: ["old ", "small ", "red ", "quiet ", ""],
  adjective: ["ship", "river", "bird", "island", "sailor", "bridge"],
  noun: [" follows ", " sees ", " crosses ", " leaves ", " finds "],
  verb: ["the ", "a ", "another "],
  object: ["shore", "storm", "valley", "strait", "harbour"],
  end: [".\n", ", and "],
};
const ORDER = ["", "article", "adjective", "noun", "verb", "object", "end"];

/** A text of simple sentences by a seeded grammar, of at least so many characters. */
export function markovText(characters: number, seed: number): string {
  const random = createRandom(seed, "text");
  const parts: string[] = [];
  for (let length = 0, at = 0; length < characters; at++) {
    const choices = GRAMMAR[ORDER[at % ORDER.length] ?? ""] ?? [];
    const part = choices[random.integer(choices.length)] ?? "";
    parts.push(part);
    length += part.length;
  }
  return parts.join("");
}

/** Entropy of single characters, in nats: the loss of the best model that looks at no context. */
export function unigramEntropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return -[...counts.values()].reduce((sum, count) => sum + (count / total) * Math.log(count / total), 0);
}

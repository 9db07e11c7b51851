import type { Checkpoint } from "@isthmus/core";

const EMBEDDING =
  /(^|\.)(embed_tokens|word_embeddings|wte|tok_embeddings|embed_in|token_embd|token_embedding|shared)(\.weight)?$/;
const HEAD = /(^|\.)(lm_head|embed_out|output|cls\.predictions\.decoder)\.weight$/;

/** Finds the matrix `[tokens, width]` that gives each token its vector, by its name. */
export function findEmbedding({ tensors }: Pick<Checkpoint, "tensors">): string | undefined {
  return [...tensors].find(([name, { shape }]) => shape.length === 2 && EMBEDDING.test(name))?.[0];
}

/** Finds the matrix `[tokens, width]` that gives each token its score, by its name. */
export function findHead({ tensors }: Pick<Checkpoint, "tensors">): string | undefined {
  return [...tensors].find(([name, { shape }]) => shape.length === 2 && HEAD.test(name))?.[0];
}

import { at, convertInto, entry } from "@isthmus/core";
import { type DenseModel, EMBEDDING } from "../dense-model.ts";
import { countRouters, type GateMode } from "../gate-mode.ts";
import { gatesOfPrompts, normalize } from "./gates-of-prompts.ts";

/** Gates from the sum of the embeddings of all tokens of the prompts, the same in each layer. */
export const cheapEmbed: GateMode = {
  name: "cheap_embed",
  description: "The embeddings of the tokens of the prompts, the same in each layer; runs no network.",
  needsPrompts: true,
  compute: (context) =>
    gatesOfPrompts(context, (lists) =>
      Promise.all(
        lists.map(async ({ prompts }) => {
          const sum = await sumEmbeddings(context.base, prompts);
          normalize(sum);
          return Array.from({ length: countRouters(context) }, () => sum);
        }),
      ),
    ),
};

/** Adds up the rows of the embedding of all tokens of all prompts. */
async function sumEmbeddings(
  { checkpoint, width }: DenseModel,
  prompts: readonly Int32Array[],
): Promise<Float32Array> {
  const counts = new Map<number, number>();
  for (const id of prompts.flatMap((ids) => [...ids])) counts.set(id, (counts.get(id) ?? 0) + 1);
  const sum = new Float64Array(width);
  const row = new Float32Array(width);
  const { dtype } = entry(checkpoint.tensors, EMBEDDING, "tensor");
  for (const [id, count] of counts) {
    const data = await checkpoint.readRange(EMBEDDING, id * width, (id + 1) * width);
    convertInto({ dtype, data }, { dtype: "f32", data: row });
    for (let i = 0; i < width; i++) sum[i] = at(sum, i) + count * at(row, i);
  }
  return Float32Array.from(sum);
}

import { at, entry, excerpt, FormatError, MismatchError, toFloat64 } from "@isthmus/core";
import type { MultipliedKind, MultipliedSource } from "./multiplied-weight.ts";

/**
 * Trainable tokens: rows of some tokens in an embedding are replaced by learned ones, beside LoRA or alone.
 *
 * Source: PEFT, `TrainableTokensLayer`.
 */
export const trainableTokensKind: MultipliedKind = {
  name: "trainable tokens",
  peftType: "TRAINABLE_TOKENS",
  end: /(\.token_adapter)?\.trainable_tokens_delta$/,
  open(name, key, source) {
    const { shape } = entry(source.checkpoint.tensors, key, "tensor");
    const [count = 0, width = 0] = shape;
    const tokens = readTokens(name, source);
    if (shape.length !== 2 || count !== tokens.length || new Set(tokens).size !== count || count === 0) {
      throw new MismatchError(
        `Cannot use adapter "${source.source}" as "${name}" must have a row for each of its tokens, which differ: the rows are [${shape}] for ${tokens.length} tokens`,
        { parameters: [name] },
      );
    }
    const last = tokens.reduce((most, token) => Math.max(most, token), 0);
    return {
      name,
      kind: "trainable tokens",
      expected: `[more than ${last}, ${width}]`,
      fits: (weight) => weight.length === 2 && at(weight, 0, "extent") > last && weight[1] === width,
      async readRows() {
        const { data, dtype } = await source.checkpoint.read(key);
        const learned = toFloat64(data, dtype);
        return ({ data: rows, top, columns }) => {
          for (const [i, token] of tokens.entries()) {
            if (token < top || token >= top + rows.length / columns) continue;
            rows.set(learned.subarray(i * width, (i + 1) * width), (token - top) * columns);
          }
        };
      },
    };
  },
};

/** Reads the tokens of a module: a list for all modules, or lists by the ends of names. */
function readTokens(name: string, { settings, source }: MultipliedSource): readonly number[] {
  const { token_indices: alone, trainable_token_indices: beside = alone } = settings;
  const lists =
    typeof beside === "object" && beside !== null && !Array.isArray(beside)
      ? Object.entries(beside)
      : [["", beside] as const];
  const [, list] = lists.find(([end]) => end === "" || name === end || name.endsWith(`.${end}`)) ?? [];
  if (Array.isArray(list) && list.every((token) => Number.isSafeInteger(token) && token >= 0))
    return list as readonly number[];
  throw new FormatError(
    `Cannot read the settings of adapter "${source}" as the tokens of "${name}" must be a list of whole numbers: they are ${excerpt(list ?? null)}`,
    { format: "adapter_config.json" },
  );
}

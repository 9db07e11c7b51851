import { at } from "@isthmus/core";
import { createDataSet } from "../create-data-set.ts";
import { createTokenDataSet } from "../create-token-data-set.ts";
import { assertUnscaled } from "../open-arrays.ts";
import { readTokens, TOKEN_WIDTHS, type TokenWidth } from "../read-tokens.ts";
import { CONTEXT, contextOf, windowOf, withObjective } from "../text-objective.ts";
import type { DataKind } from "./data-kind.ts";

/** Texts that are already split into tokens. */
export const tokensKind: DataKind = {
  name: "tokens",
  forms: [
    {
      form: "tokens:FILE",
      what: "token ids: an array of NumPy or safetensors, or plain u16 or u32, which `,u16` or `,u32` behind the file says; windows as of texts",
      example: "tokens:val.bin,u16",
    },
  ],
  place: "a file",
  settings: { width: new RegExp(TOKEN_WIDTHS.join("|")), context: CONTEXT },
  splits: [],
  async open({ name, paths, settings, split, limit }, options) {
    const { vocabularySize, scaling, objective } = options;
    assertUnscaled(name, scaling, "token ids");
    const file = at(paths, 0, "path");
    const width = settings["width"] as TokenWidth | undefined;
    const tokens = await readTokens({ file, split, width }, vocabularySize);
    if (!("shape" in tokens)) {
      const context = windowOf(contextOf(settings, options), objective);
      return withObjective(createTokenDataSet(tokens, { name, context, vocabularySize, limit }), objective);
    }
    return createDataSet(tokens, undefined, { name, limit, classes: vocabularySize });
  },
};

import { describe, expect, it } from "vitest";
import { makerOf, networkSchemaOf } from "./makers.ts";

const chosenBy = (entry: object) => {
  const { key, way = [] } = makerOf(entry);
  return [key, ...way];
};

describe("makerOf()", () => {
  it.each([
    [{ star: "a", net: "mlp:4" }, ["star"]],
    [{ tune: "a", method: "cbft" }, ["tune", "method", "cbft"]],
    [{ tune: "a", method: "last-layer" }, ["tune"]],
    [{ tickets: "evolution", net: "mlp:4" }, ["tickets", "tickets", "evolution"]],
    [{ net: "mlp:4" }, ["net"]],
    [{ checkpoint: "a.safetensors" }, ["graph"]],
  ])("chooses by the keys of %j", (entry, chosen) => {
    expect(chosenBy(entry)).toEqual(chosen);
  });

  it("keeps to the key of an entry whose way is unknown, so that its schema names the ways there are", () => {
    const entry = { tickets: "other", net: "mlp:4", data: "few", seed: 0, epochs: 1, sparsity: 0.5 };
    const { error } = networkSchemaOf(makerOf(entry)).safeParse(entry);
    expect(error?.issues).toMatchObject([{ path: ["tickets"], values: ["gradient", "evolution"] }]);
  });
});

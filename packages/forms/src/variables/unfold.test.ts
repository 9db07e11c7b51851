// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of entries
import { describe, expect, it } from "vitest";
import { unfold } from "./unfold.ts";

const PLACE = { name: "networks.a", of: "study" };
const PLAIN = { net: "mlp:${width}x3", seed: "${seed}", inner: { list: ["${width}", 1] } };

describe("unfold()", () => {
  it("unfold() makes an entry for every combination, the last variable going fastest", () => {
    const entries = unfold<object>(PLACE, { for: { width: [4, 8], seed: "0..1" }, ...PLAIN });
    expect(entries.map(({ variables }) => variables)).toEqual([
      { width: 4, seed: 0 },
      { width: 4, seed: 1 },
      { width: 8, seed: 0 },
      { width: 8, seed: 1 },
    ]);
    expect(entries[3]?.entry).toEqual({ net: "mlp:8x3", seed: 1, inner: { list: [8, 1] } });
  });

  it("unfold() makes an entry without variables once, as it is", () => {
    expect(unfold<{ net: string }>(PLACE, { net: "mlp:8" })).toEqual([
      { variables: {}, entry: { net: "mlp:8" } },
    ]);
  });

  it.each([
    ["${run}${seed}", 12],
    ["1${run}0${seed}", 1102],
    ["${zero}${seed}", "02"],
    ["${run}.${seed}", "1.2"],
    ["n${run}", "n1"],
  ])("unfold() makes %s a number where it is a whole one", (seed, expected) => {
    const repeated = { for: { run: [1], seed: [2], zero: [0] }, value: seed };
    expect(unfold<object>(PLACE, repeated)[0]?.entry).toEqual({ value: expected });
  });

  it("unfold() looks values up by a variable", () => {
    const epochs = { lookup: { variable: "width", values: { 4: 60, 8: 20 } } };
    const template = { for: { width: [4, 8] }, inner: { epochs } };
    const entries = unfold<object>(PLACE, template);
    expect(entries.map(({ entry }) => entry)).toEqual([{ inner: { epochs: 60 } }, { inner: { epochs: 20 } }]);
  });

  it.each([
    [{ variable: "width", values: { 8: 1 } }, /a value for width 4: it has some for 8$/],
    [{ variable: "depth", values: { 8: 1 } }, /"depth" must be a variable of "for": there are width$/],
    [{ variable: "width" }, /"lookup" must have a "variable" and "values": it is \{"variable":"width"\}/],
    [null, /"lookup" must have a "variable" and "values": it is null/],
  ])("unfold() refuses to look up by %j", (lookup, message) => {
    const template = { for: { width: [4] }, epochs: { lookup } };
    expect(() => unfold<object>(PLACE, template)).toThrow(message);
  });

  it.each([
    [{ width: [] }, /its values must be one or more, all different: they are \[\]/],
    [{ width: [4, 4] }, /all different: they are \[4, 4\]/],
    [{ width: "8..4" }, /a range must be FIRST..LAST with whole numbers, the smaller first: it is "8..4"/],
    [{ width: "wide" }, /it is "wide"/],
    [{ width: "0..99999", seed: "0..9" }, /at most 100000/],
    [{ width: [4] }, /"seed" must be a variable of "for"/],
  ])("unfold() refuses %j", (ranges, message) => {
    expect(() => unfold<object>(PLACE, { for: ranges, ...PLAIN })).toThrow(message);
  });
});

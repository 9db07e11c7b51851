import { nameNetworks, valuesOfNetworks } from "@isthmus/merge-learning";
import { describe, expect, test } from "vitest";

const networks = nameNetworks(["runs/a.safetensors", "runs/code", "x/twin", "y/twin", undefined]);
const find = (values: readonly string[], names = networks.slice(0, 2)) =>
  valuesOfNetworks("heal", { option: "--data", values, networks: names });

describe("nameNetworks()", () => {
  test("names by file or folder, and twins by their path", () => {
    expect(networks).toEqual(["a", "code", "x/twin", "y/twin", "model 5"]);
  });
});

describe("valuesOfNetworks()", () => {
  test.each([
    [[], [undefined, undefined]],
    [["mnist"], ["mnist", "mnist"]],
    [
      ["one", "two"],
      ["one", "two"],
    ],
    [
      ["code=two", "a=one"],
      ["one", "two"],
    ],
    [
      ["csv:x=y.csv", "code=two"],
      ["csv:x=y.csv", "two"],
    ],
  ])("reads %j in place or by name", (values, wanted) => {
    const read = find(values);
    expect([read(0), read(1)]).toEqual(wanted);
  });

  test("refuses other numbers of values, and names the network without one", () => {
    expect(() => find(["one", "two", "three"])).toThrow(/3 values of --data .* there are 2/);
    expect(() => find(["a=one"])(1)).toThrow(/"code" has none/);
    expect(() => find(["code=one", "code=two"])(0)).toThrow(/"a" has none/);
  });
});

import { describe, expect, it } from "vitest";
import { dataWords, firstWords, measureWords } from "./data-words.ts";
import { lossWords } from "./loss-words.ts";

describe("dataWords()", () => {
  it.each([
    ["mnist:test", 10_000, "10,000 examples of mnist:test"],
    ["mnist:train@1000", 1000, "the first 1,000 examples of mnist:train"],
    ["fashion-mnist:/some/folder:test@1000", 1000, "the first 1,000 examples of fashion-mnist:test"],
    ["mnist:train@1000+cue=place:0.9", 1000, "the first 1,000 examples of mnist:train+cue=place:0.9"],
    ["mnist:test+cue=grey", 10_000, "10,000 examples of mnist:test+cue=grey"],
    ["mnist:folder", 10_000, "10,000 examples of mnist"],
    ["npz:/some/folder/digits.npz:test", 1, "1 example of npz:digits.npz:test"],
    ["idx:a/images.gz,b/labels.gz@500", 500, "the first 500 examples of images.gz"],
    ["idx:a/images.gz,b/labels.gz:test", 2, "2 examples of images.gz:test"],
    ["text:C:\\books\\book.txt:test", 7, "7 examples of text:C:book.txt:test"],
  ])("dataWords() names the data set of %s, without folders", (data, examples, words) => {
    expect(dataWords(data, examples)).toBe(words);
  });

  it("firstWords() says that they are the first ones", () => {
    expect(firstWords("mnist:test", 200)).toBe("the first 200 examples of mnist:test");
  });
});

describe("measureWords()", () => {
  const USUAL = lossWords({});

  it("measureWords() calls the error of texts that of the next token, and that of others the error", () => {
    expect(measureWords("error", USUAL, "text:book.txt")).toEqual({
      name: "Next-token error",
      axis: "Next-token error (%)",
      unit: "in percent of the tokens",
    });
    expect(measureWords("error", USUAL, "mnist:test").axis).toBe("Error (%)");
    expect(measureWords("error", USUAL, "mnist:test", "text:book.txt").axis).toBe("Error (%)");
    expect(measureWords("loss", USUAL, "text:book.txt").axis).toBe("Mean loss per token (nats)");
    expect(measureWords("loss", USUAL).axis).toBe("Mean loss (nats)");
    const squared = lossWords({ lossKind: "mean-squared-error", lossUnit: "squared units" });
    expect(measureWords("loss", squared)).toMatchObject({
      axis: "Mean squared error (squared units)",
      unit: "in squared units",
    });
  });
});

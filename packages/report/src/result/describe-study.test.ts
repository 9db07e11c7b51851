// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { expect, it } from "vitest";
import { studyResult } from "../../test/results.ts";
import { describeStudy } from "./describe-study.ts";

it("describeStudy() leaves a range of one result empty, and says so", () => {
  const columns = [
    { key: "many", title: "Together" },
    { key: "accuracy", title: "Accuracy", aggregate: "mean" as const, counts: [1, 3] },
    { key: "least", title: "Least", aggregate: "min" as const, counts: [1, 3] },
  ];
  const rows = [
    { many: "tree", accuracy: 0.9, least: 0.9 },
    { many: "reference", accuracy: 0.9, least: 0.9 },
  ];
  const tables = [{ name: "merged", title: "Merged", columns, rows }];
  const [section] = describeStudy({ ...studyResult(), tables, figures: [] }).sections;
  expect(section?.tables[0]?.rows.map(({ cells }) => cells)).toEqual([
    ["tree", 0.9, null],
    ["reference", 0.9, 0.9],
  ]);
  expect(section?.tables[0]?.caption).toMatch(/and where a range has one result\.$/);
});

it("describeStudy() says of settings which variable they are, not how the file writes it", () => {
  const networks = [
    {
      name: "mlps",
      count: 10,
      variables: { seed: [0, 1] },
      settings: { net: "mlp:8", seed: "${seed}", epochs: "${length}" },
    },
  ];
  const { facts } = describeStudy({ ...studyResult(), networks });
  const fact = facts.find(({ name }) => name === "Networks mlps");
  expect(fact?.value).toBe("10 (seed 0, 1): net mlp:8; epochs length");
});

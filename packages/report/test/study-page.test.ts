// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { STUDY_RESULT } from "@isthmus/study";
import { expect, it } from "vitest";
import { studyResult } from "./results.ts";

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
  const [section] = STUDY_RESULT.describe({ ...studyResult(), tables, figures: [] }).sections;
  expect(section?.tables[0]?.rows.map(({ cells }) => cells)).toEqual([
    ["tree", 0.9, null],
    ["reference", 0.9, 0.9],
  ]);
  expect(section?.tables[0]?.caption).toMatch(/and where a range has one result\.$/);
});

it("describeStudy() draws means with one sample deviation to each side, under the title of the rows", () => {
  const columns = [
    { key: "width", title: "Width" },
    {
      key: "barrier",
      title: "Barrier",
      aggregate: "mean" as const,
      counts: [3, 1],
      deviations: [0.25, null],
    },
  ];
  const rows = [
    { width: 8, barrier: 1 },
    { width: 32, barrier: 0.5 },
  ];
  const figure = { title: "B", caption: "B.", table: "t", x: "width", y: "barrier", spread: "std" as const };
  const describe = (mark: "bar" | "line") => {
    const tables = [{ name: "t", title: "T", columns, rows }];
    const { sections } = STUDY_RESULT.describe({ ...studyResult(), tables, figures: [{ ...figure, mark }] });
    return sections[0]?.figures[0];
  };
  expect(describe("bar")?.plot).toMatchObject({
    rowsTitle: "Width",
    bars: [{ value: 1, low: 0.75, high: 1.25 }, { value: 0.5 }],
  });
  expect(describe("bar")?.caption).toContain("the thin line is one standard deviation around it");
  expect(describe("line")?.plot).toMatchObject({
    series: [{ points: [{ y: 1, low: 0.75, high: 1.25 }, { y: 0.5 }] }],
  });
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
  const { facts } = STUDY_RESULT.describe({ ...studyResult(), networks });
  const fact = facts.find(({ name }) => name === "Networks mlps");
  expect(fact?.value).toBe("10 (seed 0, 1): net mlp:8; epochs length");
});

it("describeStudy() names the variables within settings, and of networks only those that were measured", () => {
  const variables = { seed: [0, 1, 2, 3, 4, 5] };
  const networks = [{ name: "vits", count: 6, variables, settings: { net: "vit:w48" } }];
  const describe = (where?: object) => {
    const settings = { kind: "barrier", between: "vits", match: { steps: "${steps}", batch: 8 }, where };
    const measurements = [{ name: "pairs", count: 3, variables: { steps: [0, 75] }, settings }];
    const tables = studyResult().tables.map((table) => ({ ...table, of: ["pairs"] }));
    return STUDY_RESULT.describe({ ...studyResult(), tables, networks, measurements });
  };
  const { facts } = describe({ seed: [0, 1] });
  const fact = facts.find(({ name }) => name === "Measurements pairs");
  expect(fact?.value).toContain("match steps steps, batch 8;");
  const networksOf = (where?: object) => JSON.stringify(describe(where)).match(/Networks: [^".]*\./)?.[0];
  expect(networksOf({ seed: [0, 1] })).toBe("Networks: seed 0, 1.");
  expect(networksOf({ seed: 3 })).toBe("Networks: seed 3.");
  // What is not of the seed, or depends on a variable of the measurement, leaves all.
  expect([networksOf({ width: 48 }), networksOf({ seed: "${seed}" }), networksOf()]).toEqual(
    Array.from({ length: 3 }, () => "Networks: seed 0 to 5."),
  );
});

/** A study of a grid of two columns and two rows, of which one cell was not measured. */
function gridStudy(figure: object = {}) {
  const columns = [
    { key: "batch", title: "Batch" },
    { key: "width", title: "Width" },
    { key: "loss", title: "Loss", unit: "nats" },
  ];
  const rows = [
    { batch: 8, width: 4, loss: 0.5 },
    { batch: 8, width: 16, loss: 0.1 },
    { batch: 64, width: 4, loss: 0.3 },
    { batch: 64, width: 16, loss: null },
  ];
  const heat = {
    title: "Grid",
    caption: "C.",
    table: "grid",
    mark: "heat",
    x: "width",
    y: "batch",
    color: "loss",
  };
  const figures = [{ ...heat, ...figure } as never];
  return { ...studyResult(), tables: [{ name: "grid", title: "Grid", columns, rows }], figures };
}

it("describeStudy() draws a heat map with borders and the best cells, and says what they are", () => {
  const figure = {
    best: "least",
    borders: [
      { of: "loss", at: 0.2 },
      { of: "width", at: 8 },
    ],
  };
  const [drawn] = STUDY_RESULT.describe(gridStudy(figure)).sections[0]?.figures ?? [];
  expect(drawn?.caption).toBe(
    "C. The solid line is where Loss crosses 0.2 nats. The dashed line is where Width crosses 8. A dot marks the least value of each Width, over Batch.",
  );
  expect(drawn?.words).toBe(
    "Heat map of Loss (nats), Batch by Width. Batch 8: 4 0.5000, 16 0.1000; Batch 64: 4 0.3000, 16 unknown.",
  );
});

it("describeStudy() leaves out a heat map without numbers, and refuses two rows of one cell", () => {
  const study = gridStudy();
  const [table] = study.tables;
  const empty = { ...study, tables: [{ ...table, rows: [{ batch: 8, width: 4, loss: null }] }] };
  expect(STUDY_RESULT.describe(empty as never).sections[0]?.figures).toEqual([]);
  const twice = {
    ...study,
    tables: [{ ...table, rows: [...(table?.rows ?? []), { batch: 8, width: 4, loss: 1 }] }],
  };
  expect(() => STUDY_RESULT.describe(twice as never)).toThrow(/several have width 4 and batch 8/);
});

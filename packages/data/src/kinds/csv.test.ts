import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import { openDataSet } from "../open-data-set.ts";

const folder = temporaryFolder();
let count = 0;

async function read(text: string | Uint8Array, ending = "") {
  const data = await openDataSet(`csv:${folder.write(`${count++}.csv`, text)}${ending}`);
  const { inputs, labels } = data.read(0, data.size);
  return {
    inputs: [...(inputs.data as Float32Array)],
    labels: [...labels],
    classes: data.classes,
    shape: inputs.shape,
  };
}

describe("csv:FILE", () => {
  it.each([
    [
      "the last column without header",
      "1,2,a\n3,4,b\n5,6,a",
      { inputs: [1, 2, 3, 4, 5, 6], labels: [0, 1, 0] },
    ],
    ["the last column with header", "p,q,kind\n1,2,b\n3,4,a\n", { inputs: [1, 2, 3, 4], labels: [1, 0] }],
    ["a column of a usual name", "Label,p,q\n3,1,2\n0,3,4\n", { inputs: [1, 2, 3, 4], labels: [3, 0] }],
    ["labels as floats", "1,0.0\n2,2.0\n", { inputs: [1, 2], labels: [0, 2] }],
    [
      "line ends of Windows, quotes, empty lines and a byte order mark",
      '\ufeff"p, ""1""","y"\r\n\r\n"-1.5e1","a\nb"\r\n.5,c\r\n',
      { inputs: [-15, 0.5], labels: [0, 1] },
    ],
  ])("reads %s", async (_, text, expected) => {
    expect(await read(text)).toMatchObject(expected);
  });

  it.each([
    ["p,q,r\n1,7,2\n0,8,4\n", ",label=p", { inputs: [7, 2, 8, 4], labels: [1, 0] }],
    ["1,7,2\n0,8,4\n", ",label=1", { inputs: [7, 2, 8, 4], labels: [1, 0] }],
    ["1,2,3\n4,5,0\n", ",header", { inputs: [4, 5], labels: [0] }],
  ])("reads %j with the settings %s", async (text, ending, expected) => {
    expect(await read(text, ending)).toMatchObject(expected);
    await expect(read("a,b\n", ",no-header,label=2")).rejects.toThrow(/column 1 of line 1 is "a"/);
  });

  it("keeps labels as numbers to be approximated, if the name says so", async () => {
    const open = (text: string, ending: string) =>
      openDataSet(`csv:${folder.write(`${count++}.csv`, text)}${ending}`);
    const data = await open("price,rooms\n2.5,3\n-1e1,4\n7,5\n", ",label=price,numbers@2");
    expect(data).toMatchObject({ labelling: "none", targets: "labels", size: 2, exampleShape: [1] });
    const { inputs, features, labels } = data.read(0, 2);
    expect([...inputs.data, ...(features?.get("labels")?.data ?? [])]).toEqual([3, 4, 2.5, -10]);
    expect(labels).toHaveLength(0);
    await expect(open("1,a\n", ",numbers")).rejects.toThrow(/as ,numbers says: in line 1 it is "a"/);
  });

  it("keeps the first N rows, with the classes of all", async () => {
    const { labels, classes, shape } = await read("1,b\n2,c\n3,a\n", "@2");
    expect([labels, classes, shape]).toEqual([[1, 2], 3, [2, 1]]);
    await expect(read("1,b\n", "@2")).rejects.toThrow(/there must be as many: it has 1$/);
  });

  it("reads any table of numbers that was written with quotes or without, in chunks of any size", async () => {
    const table = fc.integer({ min: 1, max: 4 }).chain((columns) =>
      fc.array(
        fc.tuple(
          fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
            minLength: columns,
            maxLength: columns,
          }),
          fc.nat(9),
        ),
        { minLength: 1, maxLength: 9 },
      ),
    );
    await fc.assert(
      fc.asyncProperty(table, fc.boolean(), async (rows, isQuoted) => {
        const quote = (value: number) => (isQuoted ? `"${value}"` : String(value));
        const text = rows.map(([numbers, label]) => [...numbers, label].map(quote).join(",")).join("\n");
        const { inputs, labels } = await read(text);
        expect(inputs).toEqual(rows.flatMap(([numbers]) => numbers.map((value) => Math.fround(value) + 0)));
        expect(labels).toEqual(rows.map(([, label]) => label));
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ["rows of other lengths", "1,2,3\n1,2\n", /must have 3 fields, as the first: line 2 has 2/],
    ["a field that is no number", "1,2\n0x10,3\n", /column 1 of line 2 is "0x10"/],
    ["an empty field", "1,2\n,3\n", /column 1 of line 2 is ""/],
    ["a quote that is not closed", '1,2\n"3,4\n', /quotes must be closed/],
    ["a quote in the middle of a field", '1,2\n3"4,4\n', /must begin with one: in line 2/],
    ["text behind a quote", '1,2\n"3"4,4\n', /a comma must follow a closing quote: in line 2/],
    ["one column", "1\n2\n", /at least two columns/],
    ["no rows", "", /must have rows of numbers: it has none/],
    ["a header alone", "p,label\n", /must have rows of numbers: it has none/],
    ["a row without end", "1,".repeat(2 ** 22 + 1), /a row may have 8388608 characters/],
    ["no UTF-8", Uint8Array.of(49, 44, 255), /must be UTF-8/],
    [
      "labels that are no classes",
      Array.from({ length: 66_000 }, (_, i) => `1,c${i}`).join("\n"),
      /at most 65536 classes/,
    ],
    ["a label that is not there", "1,2\n", /a number from 1 to 2: it is "9"/, ",label=9"],
  ])("refuses %s", async (_, text, message, ending = "") => {
    await expect(read(text, ending)).rejects.toThrow(message);
  });
});

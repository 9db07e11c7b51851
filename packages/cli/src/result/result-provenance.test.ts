import type { Scaling } from "@isthmus/graph";
import { describe, expect, it } from "vitest";
import { noteData, whileNotingData } from "./fed-data.ts";
import { describeCommand, withProvenance } from "./result-provenance.ts";

const PROGRAM = { version: "1.2.3", use: [] };
const commandOf = (line: string): string => describeCommand(line.split(" "), PROGRAM).command;

describe("describeCommand()", () => {
  it.each([
    ["layers a b --data mnist:test -o x.json --resume", "isthmus layers a b --data mnist:test"],
    ["barrier a b --report=x.html --seed 3 --json -q", "isthmus barrier a b --seed 3"],
    ["study s.yaml --output=there --only width=4", "isthmus study s.yaml --only width=4"],
    ["map a b --queue /q --storage=/s --seed 3", "isthmus map a b --seed 3"],
    // Networks must go somewhere, or the command does not run.
    ["curve a b -o bend.safetensors --report x.html", "isthmus curve a b -o bend.safetensors"],
  ])("describeCommand() leaves out of %j what changes nothing", (line, command) => {
    expect(commandOf(line)).toBe(command);
  });

  it("describeCommand() quotes words that need it", () => {
    expect(describeCommand(["barrier", "a b", "c"], PROGRAM)).toEqual({
      command: "isthmus barrier 'a b' c",
      version: "1.2.3",
    });
  });

  it("describeCommand() names the files of measurements before the verb", () => {
    const { command } = describeCommand(["curve", "a", "-o", "b"], { ...PROGRAM, use: ["./x y.ts", "z.js"] });
    expect(command).toBe("isthmus --use './x y.ts' --use z.js curve a -o b");
  });
});

describe("withProvenance()", () => {
  const provenance = { command: "isthmus plane", version: "1.2.3" };

  it("withProvenance() says of results that can be drawn which command made them, and of no others", async () => {
    expect(await withProvenance({ kind: "plane" }, provenance)).toEqual({ kind: "plane", provenance });
    for (const other of [{ kind: "report" }, { kind: "toString" }, { outputs: [] }])
      expect(await withProvenance(other, provenance)).toBe(other);
    const said = { kind: "plane", provenance: { command: "other", version: "0" } };
    expect(await withProvenance(said, provenance)).toBe(said);
  });

  it("withProvenance() says how the bytes of data were scaled, of one command line at a time", async () => {
    const noted = async (scaling: Scaling | undefined) =>
      whileNotingData(async () => {
        noteData({ name: "a", scaling });
        return withProvenance({ kind: "plane" }, provenance);
      });
    const [channels, one, none] = await Promise.all([
      noted({ mean: [0, 0.5], std: 1 }),
      noted({ mean: 0, std: 1 }),
      noted(undefined),
    ]);
    const plane = (data: object) => ({ kind: "plane", provenance: { ...provenance, data: [data] } });
    expect(channels).toEqual(plane({ name: "a", mean: [0, 0.5], std: 1 }));
    expect(one).toEqual(plane({ name: "a", mean: 0, std: 1 }));
    expect(none).toEqual({ kind: "plane", provenance });
    noteData({ name: "outside", scaling: { mean: 0, std: 1 } });
    expect(await withProvenance({ kind: "plane" }, provenance)).toEqual({ kind: "plane", provenance });
  });
});

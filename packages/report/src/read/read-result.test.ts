import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { barrierCurve } from "../../test/barrier-curve.ts";
import { initializationResult } from "../../test/landscape-result.ts";
import { OTHER_RESULTS } from "../../test/other-results.ts";
import { layersResult, planeResult, studyResult } from "../../test/results.ts";
import { takenApart } from "../../test/taken-apart.ts";
import type { DrawableResult } from "../result/drawable-result.ts";
import { readResult } from "./read-result.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

function read(value: unknown): Promise<DrawableResult> {
  const path = join(folder, "result.json");
  writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
  return readResult(path);
}

describe("readResult()", () => {
  it.each([barrierCurve("", 1).result, initializationResult(), ...OTHER_RESULTS])(
    "readResult() reads a $kind as it was written, and keeps what it does not know",
    async (result) => {
      const written = { ...result, outputs: ["a.safetensors"] };
      expect(await read(written)).toEqual(written);
    },
  );

  it("readResult() reads a barrier before and after alignment", async () => {
    const { result } = barrierCurve("", 1);
    const compared = { ...result, asGiven: result, alignment: { method: "weight" } };
    expect(await read(compared)).toEqual(compared);
    // The name that results had before.
    expect(await read({ ...result, asTrained: result })).toEqual({ ...result, asGiven: result });
  });

  it("readResult() reads a barrier with temperatures, and one that was taken apart", async () => {
    const { result, decomposition } = takenApart(barrierCurve("", 1, true));
    expect(await read({ ...result, decomposition })).toEqual({ ...result, decomposition });
    const nothing = { ...decomposition.byExample, half: null, top: [] };
    const parsed = await read({ ...result, decomposition: { ...decomposition, byExample: nothing } });
    expect(parsed).toMatchObject({ decomposition: { byExample: { half: Number.NaN } } });
    const { parts: _, ...part } = decomposition;
    await expect(read({ ...result, decomposition: part })).rejects.toThrow(/"decomposition.parts"/);
  });

  it("readResult() reads layers whose cosine similarity stood among distances, as earlier versions wrote it", async () => {
    const result = layersResult();
    const groups = result.groups.map(
      ({ euclideanDistance: euclidean, cosineSimilarity: cosine, ...group }) => ({
        ...group,
        distance: { euclidean, cosine },
      }),
    );
    expect(await read({ ...result, groups })).toEqual(result);
  });

  it("readResult() refuses what is no result, or a part of one, and says what is wrong", async () => {
    const { layers: _, ...part } = layersResult();
    const study = studyResult();
    const outside = study.tables.map((table) => ({ ...table, name: "../../outside" }));
    const refused: readonly (readonly [value: unknown, message: RegExp])[] = [
      ["{", /must be JSON/],
      [
        { kind: "checkpoint" },
        /one of (?=.*\bbarrier\b)(?=.*\bdropout-stability\b)[a-z, -]+: it is "checkpoint"; give a file/,
      ],
      [{ kind: "toString" }, /it is "toString"/],
      [[1, 2], /the "kind" of a result must be one of .*: it has none/],
      [null, /it has none/],
      [part, /a whole result of kind "layers": "layers": Invalid input: expected array, received undefined$/],
      [{ ...planeResult(), xs: [0, 1e308] }, /its numbers must be at most 1e\+300 in size: one is 1e\+308$/],
      [`{"kind":"study","x":[-1e999]}`, /one is -Infinity$/],
      [`{"kind":${"[".repeat(200_000)}${"]".repeat(200_000)}}`, /its JSON may be nested 128 levels deep/],
      [{ kind: "plane" }, /"xs": .*; and \d+ more$/],
      [{ ...study, tables: outside }, /"tables\.0\.name": must be made of letters, digits/],
    ];
    for (const [value, message] of refused) await expect(read(value)).rejects.toThrow(message);
  });
});

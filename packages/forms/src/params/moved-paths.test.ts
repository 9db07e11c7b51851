import { describe, expect, it } from "vitest";
import * as z from "zod";
import { marksPath, movePathsBy } from "./moved-paths.ts";

const move = (path: string): string => path.replace(/^\/there\//, "/here/");

const SCHEMA = z.strictObject({
  several: marksPath(z.string(), (text, moveOne) => text.split(",").map(moveOne).join(",")),
  path: marksPath(z.string()).optional(),
  name: z.string(),
  list: z.array(
    z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("file"), of: marksPath(z.string()) }),
      z.strictObject({ kind: z.literal("name"), of: z.string() }),
    ]),
  ),
  none: marksPath(z.string()).nullable(),
});

describe("movePathsBy()", () => {
  it("moves what the schema says are paths, and leaves what only looks like one", () => {
    const value: z.output<typeof SCHEMA> = {
      several: "/there/images,/there/labels",
      path: "/there/C:\\x:y",
      name: "/there/is a name:/there/too",
      list: [
        { kind: "file", of: "/there/a" },
        { kind: "name", of: "/there/a" },
      ],
      none: null,
    };
    expect(movePathsBy(SCHEMA, value, move)).toEqual({
      several: "/here/images,/here/labels",
      path: "/here/C:\\x:y",
      name: value.name,
      list: [
        { kind: "file", of: "/here/a" },
        { kind: "name", of: "/there/a" },
      ],
      none: null,
    });
  });
});

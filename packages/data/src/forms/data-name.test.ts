import { movePathsBy } from "@isthmus/forms";
import { expect, it } from "vitest";
import * as z from "zod";
import { DATA_NAME } from "./data-name.ts";

it("DATA_NAME moves the files of a data set, and leaves its parts and counts", () => {
  const schema = z.strictObject({ data: DATA_NAME, title: z.string() });
  const move = (path: string): string => path.replace(/^\/there\//, "/here/");
  const name = "/there/is a name:/there/too";
  expect(movePathsBy(schema, { data: "idx:/there/images,/there/labels:test@5", title: name }, move)).toEqual({
    data: "idx:/here/images,/here/labels:test@5",
    title: name,
  });
});

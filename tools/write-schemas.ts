// Writes the JSON Schemas by which editors complete and check files: of recipes, studies and results.
//
//   npx tsx --conditions=@isthmus/source tools/write-schemas.ts          writes them
//   npx tsx --conditions=@isthmus/source tools/write-schemas.ts --check  checks that they are as published
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { recipeJsonSchema } from "@isthmus/recipe";
import { resultJsonSchema } from "@isthmus/report";
import { studyJsonSchema } from "@isthmus/study";

const SCHEMAS = {
  "recipe/recipe": recipeJsonSchema(),
  "report/result": await resultJsonSchema(),
  "study/study": await studyJsonSchema(),
};

const isCheck = process.argv.includes("--check");
for (const [name, schema] of Object.entries(SCHEMAS)) {
  const path = fileURLToPath(new URL(`../packages/${name}.schema.json`, import.meta.url));
  const text = `${JSON.stringify(schema, undefined, 2)}\n`;
  if (!isCheck) writeFileSync(path, text);
  else if (readFileSync(path, "utf8") !== text) {
    console.error(
      `packages/${name}.schema.json is old: run npx tsx --conditions=@isthmus/source tools/write-schemas.ts`,
    );
    process.exitCode = 1;
  }
}
if (isCheck && process.exitCode === undefined) console.log("write-schemas: passed");
